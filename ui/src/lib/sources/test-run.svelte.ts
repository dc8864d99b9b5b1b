// One try of a source's connection: under way for how long, called off, or what came of it.
import type { Client } from '../api/client';
import { describe, wasAborted } from '../api/failure';
import type { SourceChange, TestAnswer } from './types';

export type Tried =
  | { kind: 'idle' }
  | { kind: 'running'; since: number }
  | { kind: 'done'; answer: TestAnswer }
  | { kind: 'failed'; words: string }
  | { kind: 'stopped' };

export class TestRun {
  now = $state.raw<Tried>({ kind: 'idle' });
  #run: AbortController | null = null;

  constructor(readonly client: Client) {}

  /** Tries `what`; a try that is under way is called off. */
  async start(what: { id: string } | (SourceChange & { id?: string })): Promise<void> {
    this.#run?.abort();
    const run = new AbortController();
    this.#run = run;
    this.now = { kind: 'running', since: Date.now() };
    try {
      const answer = await this.client.testSource(what, run.signal);
      if (this.#run === run) this.now = { kind: 'done', answer };
    } catch (error) {
      if (this.#run !== run || wasAborted(error)) return;
      const { title, detail } = describe(error, 'the result of the test');
      this.now = { kind: 'failed', words: `${title}. ${detail}` };
    }
  }

  cancel(): void {
    this.#run?.abort();
    this.#run = null;
    this.now = { kind: 'stopped' };
  }

  /** What was tested has changed since: the result says nothing any more. */
  forget(): void {
    this.#run?.abort();
    this.#run = null;
    this.now = { kind: 'idle' };
  }
}
