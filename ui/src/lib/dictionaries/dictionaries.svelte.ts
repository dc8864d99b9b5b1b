// The dictionaries as last heard from the server, and the training that is under way. It belongs to
// the window, not to a page: whoever looks elsewhere meanwhile finds the result when he comes back.
import type { Client } from '../api/client';
import { describe, type Failure, Refused, wasAborted } from '../api/failure';
import type { Dictionary } from './types';

/** Heartbeats say which one each machine uses, once a minute or so. */
const REFRESH_MS = 15_000;

export type Training =
  | { kind: 'idle' }
  | { kind: 'running'; since: number; days: number }
  | { kind: 'done'; made: Dictionary }
  | { kind: 'failed'; words: string }
  | { kind: 'stopped' };

export class DictionariesState {
  list = $state.raw<Dictionary[]>([]);
  phase = $state<'loading' | 'ready' | 'error'>('loading');
  failure = $state.raw<Failure | null>(null);
  training = $state.raw<Training>({ kind: 'idle' });
  #run: AbortController | null = null;

  constructor(readonly client: Client) {}

  watch(): () => void {
    void this.load();
    const refresh = setInterval(() => void this.load(), REFRESH_MS);
    return () => clearInterval(refresh);
  }

  async load(): Promise<void> {
    try {
      this.list = (await this.client.dictionaries()).dictionaries;
      this.phase = 'ready';
      this.failure = null;
    } catch (error) {
      if (wasAborted(error)) return;
      if (error instanceof Refused && error.status === 401) return;
      this.failure = describe(error, 'the dictionaries');
      if (this.phase === 'loading') this.phase = 'error';
    }
  }

  /** Machines are given this one from now on. */
  async use(id: string): Promise<void> {
    await this.client.useDictionary(id);
    // Its words were about the one that machines were given before.
    if (this.training.kind === 'done') this.training = { kind: 'idle' };
    await this.load();
  }

  /** Trains from the last `days`; `give`: machines are given the new one. */
  async train(days: number, give: boolean): Promise<void> {
    if (this.training.kind === 'running') return;
    const run = new AbortController();
    this.#run = run;
    this.training = { kind: 'running', since: Date.now(), days };
    try {
      const made = await this.client.trainDictionary(days, give, run.signal);
      if (this.#run === run) this.training = { kind: 'done', made };
    } catch (error) {
      if (this.#run !== run || wasAborted(error)) return;
      const why = error instanceof Refused ? error.message : describe(error, 'the result').title;
      this.training = { kind: 'failed', words: why };
    }
    await this.load();
  }

  cancel(): void {
    this.#run?.abort();
    this.#run = null;
    this.training = { kind: 'stopped' };
  }
}
