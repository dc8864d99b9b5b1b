// Gathers live "entries" events for a moment, so that a busy fleet costs one fetch and not hundreds.
import { LEVELS, type EntriesEvent } from '../api/types';
import type { LogFilter } from './filter';

/** Short enough to look immediate, long enough to gather what one commit of the server brings. */
export const GATHER_MS = 200;
/** With more machines than this, one question about all of them is cheaper. */
const MACHINES_BY_NAME = 8;

export interface Pending {
  /** Empty means: ask about all that the filter allows. */
  machines: string[];
  /** The earliest filing time among them. */
  from: string;
  count: number;
}

export class Arrivals {
  #machines = new Set<string>();
  #from = '';
  #count = 0;
  #timer: ReturnType<typeof setTimeout> | undefined;
  #busy = false;

  constructor(readonly take: (pending: Pending) => Promise<void> | void) {}

  add(event: EntriesEvent, filter: LogFilter): void {
    if (filter.to) return;
    if (filter.machines.length > 0 && !filter.machines.includes(event.machine_id)) return;
    if (LEVELS.indexOf(event.worst) < LEVELS.indexOf(filter.level)) return;
    this.#note([event.machine_id], event.from, event.count);
  }

  /** What could not be taken yet is offered again. */
  putBack({ machines, from, count }: Pending): void {
    this.#note(machines, from, count);
  }

  clear(): void {
    clearTimeout(this.#timer);
    this.#timer = undefined;
    this.#machines.clear();
    this.#from = '';
    this.#count = 0;
  }

  #note(machines: string[], from: string, count: number): void {
    for (const machine of machines) this.#machines.add(machine);
    if (!this.#from || from < this.#from) this.#from = from;
    this.#count += count;
    this.#timer ??= setTimeout(() => void this.#flush(), GATHER_MS);
  }

  async #flush(): Promise<void> {
    this.#timer = undefined;
    if (this.#busy) {
      this.#timer = setTimeout(() => void this.#flush(), GATHER_MS);
      return;
    }
    const few = this.#machines.size <= MACHINES_BY_NAME;
    const pending = {
      machines: few ? [...this.#machines] : [],
      from: this.#from,
      count: this.#count,
    };
    this.clear();
    this.#busy = true;
    try {
      await this.take(pending);
    } finally {
      this.#busy = false;
    }
  }
}
