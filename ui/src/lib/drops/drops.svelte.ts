// The drops that came, newest first, page by page. Knows no page of the window.
import type { Client } from '../api/client';
import { describe, type Failure, Refused, wasAborted } from '../api/failure';
import type { Drop } from '../sources/types';

const PAGE = 100;

export class DropsState {
  drops = $state.raw<Drop[]>([]);
  next = $state<string | null>(null);
  phase = $state<'loading' | 'ready' | 'error'>('loading');
  /** Of the newest try; with drops loaded it only says that there may be more. */
  failure = $state.raw<Failure | null>(null);
  busy = $state(false);
  #run: AbortController | null = null;

  constructor(readonly client: Client) {}

  /** Begins anew, for one machine or all. */
  async start(machine: string): Promise<void> {
    this.#run?.abort();
    this.phase = 'loading';
    this.drops = [];
    this.next = null;
    await this.#load(machine, null);
  }

  /** Looks for newer ones; what is shown stays. */
  async refresh(machine: string): Promise<void> {
    if (this.phase === 'ready' && !this.busy) await this.#load(machine, null);
  }

  async more(machine: string): Promise<void> {
    if (!this.busy && this.next) await this.#load(machine, this.next);
  }

  stop(): void {
    this.#run?.abort();
  }

  async #load(machine: string, cursor: string | null): Promise<void> {
    const run = new AbortController();
    this.#run = run;
    this.busy = true;
    const query = new URLSearchParams({ limit: `${PAGE}` });
    if (machine) query.set('machine', machine);
    if (cursor) query.set('cursor', cursor);
    try {
      const { drops, next } = await this.client.drops(query, run.signal);
      if (cursor) this.drops = [...this.drops, ...drops];
      else if (!this.#addNewer(drops)) this.drops = drops;
      else return this.#ended();
      this.next = next;
      this.#ended();
    } catch (error) {
      if (wasAborted(error) || (error instanceof Refused && error.status === 401)) return;
      this.failure = describe(error, 'the drops');
      if (this.phase === 'loading') this.phase = 'error';
    }
    this.busy = false;
  }

  #ended(): void {
    this.phase = 'ready';
    this.failure = null;
    this.busy = false;
  }

  /** Puts what is new above what is shown; false when the two do not meet. */
  #addNewer(fresh: Drop[]): boolean {
    const first = this.drops[0];
    const at = first ? fresh.findIndex((drop) => keyOf(drop) === keyOf(first)) : -1;
    if (at >= 0) this.drops = [...fresh.slice(0, at), ...this.drops];
    return at >= 0;
  }
}

function keyOf({ machine_id, epoch, number, arrived_at, name }: Drop): string {
  return [machine_id, epoch, number, arrived_at, name].join(' ');
}
