// A machine's cellular path as last heard from the server. Knows no page.
import type { Client } from '../api/client';
import { describe, type Failure, Refused, wasAborted } from '../api/failure';
import type { LiveMessage } from '../api/transport';
import type { Cell } from './types';

/** Drops come once an hour; the meter moves on with them. */
const REFRESH_MS = 30_000;
/** Entries come in bursts: one look answers for all of them. */
const GATHER_MS = 1_000;

export class CellState {
  cell = $state.raw<Cell | null>(null);
  phase = $state<'loading' | 'ready' | 'error'>('loading');
  failure = $state.raw<Failure | null>(null);
  #timer: ReturnType<typeof setTimeout> | undefined;

  constructor(
    readonly client: Client,
    readonly machine: string,
  ) {}

  watch(): () => void {
    void this.load();
    const refresh = setInterval(() => void this.load(), REFRESH_MS);
    return () => {
      clearInterval(refresh);
      clearTimeout(this.#timer);
    };
  }

  heard({ event, data }: LiveMessage): void {
    const { machine_id } = (data ?? {}) as { machine_id?: string };
    const isOurs = machine_id === this.machine && (event === 'entries' || event === 'machine');
    if (!isOurs && event !== 'reset' && event !== 'returned') return;
    this.#timer ??= setTimeout(() => {
      this.#timer = undefined;
      void this.load();
    }, GATHER_MS);
  }

  async load(): Promise<void> {
    try {
      this.cell = await this.client.cell(this.machine);
      this.phase = 'ready';
      this.failure = null;
    } catch (error) {
      if (wasAborted(error)) return;
      // A machine that is not there has its own face above.
      if (error instanceof Refused && [401, 404].includes(error.status)) return;
      this.failure = describe(error, 'the cellular path');
      if (this.phase === 'loading') this.phase = 'error';
    }
  }
}
