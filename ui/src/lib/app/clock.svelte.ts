// The present moment, by the server's clock: relative times and "behind" are told from it.

/** How often what is shown as "12 s ago" is told anew. */
const STEP_MS = 1000;

export class Clock {
  now = $state(Date.now());
  #offset = 0;

  start(): () => void {
    const timer = setInterval(() => this.#step(), STEP_MS);
    return () => clearInterval(timer);
  }

  /** The server said what time it is; a wrong clock on this computer then does no harm. */
  set(serverTime: string): void {
    const parsed = Date.parse(serverTime);
    if (!Number.isFinite(parsed)) return;
    this.#offset = parsed - Date.now();
    this.#step();
  }

  #step(): void {
    this.now = Date.now() + this.#offset;
  }
}
