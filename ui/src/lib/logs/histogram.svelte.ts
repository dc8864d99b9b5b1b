// The counts above a log list: fetched for the filter, refreshed while entries come in.
import type { Client } from '../api/client';
import { describe, type Failure, wasAborted } from '../api/failure';
import type { HistogramAnswer } from '../api/types';
import { askFor, type LogFilter } from './filter';

/** Counts may trail the lines by this much. */
const REFRESH_MS = 3_000;
const BINS = 96;

export class HistogramState {
  data = $state.raw<HistogramAnswer | null>(null);
  failure = $state.raw<Failure | null>(null);
  stale = $state(false);
  #filter: LogFilter | null = null;
  #run = new AbortController();
  #timer: ReturnType<typeof setTimeout> | undefined;

  constructor(
    readonly client: Client,
    readonly now: () => number,
  ) {}

  async load(filter: LogFilter): Promise<void> {
    this.stop();
    this.#run = new AbortController();
    this.#filter = filter;
    this.stale = this.data !== null;
    await this.#fetch(this.#run.signal);
  }

  /** Entries were stored: counts are fetched anew soon, and not more often than needed. */
  heard(): void {
    if (!this.#filter || this.#filter.to) return;
    this.#timer ??= setTimeout(() => {
      this.#timer = undefined;
      void this.#fetch(this.#run.signal);
    }, REFRESH_MS);
  }

  stop(): void {
    this.#run.abort();
    clearTimeout(this.#timer);
    this.#timer = undefined;
  }

  async #fetch(signal: AbortSignal): Promise<void> {
    if (!this.#filter) return;
    const query = askFor(this.#filter, this.now());
    query.set('bins', String(BINS));
    try {
      this.data = await this.client.histogram(query, signal);
      this.failure = null;
      this.stale = false;
    } catch (error) {
      if (wasAborted(error)) return;
      this.failure = describe(error, 'the counts');
      this.stale = false;
    }
  }
}
