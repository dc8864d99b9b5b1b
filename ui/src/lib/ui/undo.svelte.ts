// The last thing that was done and can be taken back.

/** Long enough to notice a slip and reach for the button. */
const OFFERED_MS = 20_000;

export interface Done {
  words: string;
  /** Takes it back; absent when it only is to be said. */
  undo?: () => Promise<void>;
}

export class Undo {
  done = $state.raw<Done | null>(null);
  problem = $state('');
  busy = $state(false);
  #timer: ReturnType<typeof setTimeout> | undefined;

  /** Says what was done, and offers to take it back for a while. */
  offer(done: Done): void {
    clearTimeout(this.#timer);
    this.done = done;
    this.problem = '';
    this.#timer = setTimeout(() => this.close(), OFFERED_MS);
  }

  /** Says why something was not done. */
  failed(words: string): void {
    clearTimeout(this.#timer);
    this.done = null;
    this.problem = words;
  }

  async undo(): Promise<void> {
    const { done } = this;
    if (!done?.undo || this.busy) return;
    clearTimeout(this.#timer);
    this.busy = true;
    try {
      await done.undo();
      this.close();
    } catch (error) {
      const why = error instanceof Error ? error.message : String(error);
      this.failed(`That could not be taken back: ${why}`);
    }
    this.busy = false;
  }

  close(): void {
    clearTimeout(this.#timer);
    this.done = null;
    this.problem = '';
  }
}
