// The sources as last heard from the server, and how much waits in quarantine. Knows no page.
import type { Client } from '../api/client';
import { describe, type Failure, Refused, wasAborted } from '../api/failure';
import type { LiveMessage } from '../api/transport';
import { lookOf } from './words';
import type { Source } from './types';

/** Sources are asked every minute: a state older than this may be wrong. */
const REFRESH_MS = 30_000;
/** While somebody watches them. */
const WATCHED_MS = 5_000;

/** Files come in bursts: one look answers for all of them. */
const GATHER_MS = 400;

export class SourcesState {
  list = $state.raw<Source[]>([]);
  waiting = $state(0);
  phase = $state<'loading' | 'ready' | 'error'>('loading');
  failure = $state.raw<Failure | null>(null);
  readonly failing = $derived(this.list.filter((source) => lookOf(source) === 'failing'));
  readonly wrong = $derived(this.failing.length + this.waiting);
  #run: Promise<void> | null = null;
  #timer: ReturnType<typeof setTimeout> | undefined;

  constructor(readonly client: Client) {}

  start(): () => void {
    void this.load();
    const refresh = setInterval(() => void this.load(), REFRESH_MS);
    return () => {
      clearInterval(refresh);
      clearTimeout(this.#timer);
    };
  }

  /** Keeps what is on the screen fresh. Returns how to stop. */
  watch(): () => void {
    void this.load();
    const refresh = setInterval(() => void this.load(), WATCHED_MS);
    return () => clearInterval(refresh);
  }

  heard({ event }: LiveMessage): void {
    if (!['source', 'quarantine', 'returned', 'reset'].includes(event)) return;
    this.#timer ??= setTimeout(() => {
      this.#timer = undefined;
      void this.load();
    }, GATHER_MS);
  }

  byId(id: string | null): Source | undefined {
    return this.list.find((source) => source.id === id);
  }

  /** What people call it; drops that a script posted came by no source of ours. */
  nameOf(id: string): string {
    return this.byId(id)?.name ?? (id === 'api' ? 'a script (HTTP)' : id);
  }

  /** Fetches both; what was shown stays until an answer is there. */
  load(): Promise<void> {
    this.#run ??= this.#load().finally(() => (this.#run = null));
    return this.#run;
  }

  async #load(): Promise<void> {
    try {
      const [{ sources }, { waiting }] = await Promise.all([
        this.client.sources(),
        this.client.quarantine({ limit: 1 }),
      ]);
      this.list = sources;
      this.waiting = waiting;
      this.phase = 'ready';
      this.failure = null;
    } catch (error) {
      if (wasAborted(error)) return;
      if (error instanceof Refused && error.status === 401) return;
      this.failure = describe(error, 'the sources');
      if (this.phase === 'loading') this.phase = 'error';
    }
  }
}
