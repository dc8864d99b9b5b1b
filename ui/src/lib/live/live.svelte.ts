// The live stream: listens, resumes where it stopped, backs off, and knows since when it is cut off.
import type { LiveMessage, Transport } from '../api/transport';

/** The server ticks every 10 s; without one for this long we are behind. */
export const BEHIND_AFTER_MS = 15_000;
/** And for this long, the line is dead although nobody told us. */
const DEAD_AFTER_MS = 40_000;
const RETRY_FIRST_MS = 1_000;
const RETRY_MOST_MS = 15_000;
const WATCH_EVERY_MS = 1_000;

export type LiveState = 'connecting' | 'live' | 'offline';
type Handler = (message: LiveMessage) => void;

export class Live {
  state = $state<LiveState>('connecting');
  /** When the line was lost, by this computer's clock. */
  offlineSince = $state<number | null>(null);
  /** How old the newest sign of life is, in ms; 0 while it is fresh. */
  behindMs = $state(0);
  /** The reader wants nothing to move. What happens meanwhile is fetched on resume. */
  paused = $state(false);

  #handlers = new Set<Handler>();
  #lastId: string | null = null;
  #heardAt = Date.now();
  #tries = 0;
  #stop: () => void = () => {};
  #retry: ReturnType<typeof setTimeout> | undefined;
  #missed = false;

  constructor(readonly transport: Transport) {}

  start(): () => void {
    const watch = setInterval(() => this.#watch(), WATCH_EVERY_MS);
    const now = () => this.reconnect();
    addEventListener('online', now);
    this.#listen();
    return () => {
      clearInterval(watch);
      clearTimeout(this.#retry);
      removeEventListener('online', now);
      this.#stop();
    };
  }

  on(handler: Handler): () => void {
    this.#handlers.add(handler);
    return () => this.#handlers.delete(handler);
  }

  /** Tries again at once, as when a person asks for it. */
  reconnect(): void {
    if (this.state === 'live') return;
    this.#tries = 0;
    this.#listen();
  }

  togglePause(): void {
    this.paused = !this.paused;
    if (this.paused || !this.#missed) return;
    this.#missed = false;
    this.#tell({ id: null, event: 'reset', data: {} });
  }

  #listen(): void {
    clearTimeout(this.#retry);
    this.#stop();
    this.#heardAt = Date.now();
    this.#stop = this.transport.listen(this.#lastId, {
      opened: () => this.#opened(),
      message: (message) => this.#heard(message),
      lost: () => this.#lost(),
    });
  }

  #opened(): void {
    const returned = this.state === 'offline';
    this.state = 'live';
    this.offlineSince = null;
    this.#tries = 0;
    this.#heardAt = Date.now();
    if (!returned) return;
    // Without an id to resume after, what came meanwhile is unknown.
    const event = this.#lastId === null ? 'reset' : 'returned';
    this.#tell({ id: null, event, data: {} });
  }

  #heard(message: LiveMessage): void {
    if (this.state !== 'live') this.#opened();
    this.#heardAt = Date.now();
    this.behindMs = 0;
    if (message.id) this.#lastId = message.id;
    // Where to go is the person's own wish; only what changes under their eyes is held back.
    if (this.paused && message.event !== 'navigate') this.#missed ||= message.event !== 'tick';
    else this.#tell(message);
  }

  #lost(): void {
    this.#stop();
    this.state = 'offline';
    this.offlineSince ??= this.#heardAt;
    this.behindMs = 0;
    const wait = Math.min(RETRY_MOST_MS, RETRY_FIRST_MS * 2 ** this.#tries);
    this.#tries += 1;
    clearTimeout(this.#retry);
    this.#retry = setTimeout(() => this.#listen(), wait * (0.75 + Math.random() / 2));
  }

  #watch(): void {
    if (this.state !== 'live') return;
    const silent = Date.now() - this.#heardAt;
    this.behindMs = silent > BEHIND_AFTER_MS ? silent : 0;
    if (silent > DEAD_AFTER_MS) this.#lost();
  }

  #tell(message: LiveMessage): void {
    for (const handler of this.#handlers) handler(message);
  }
}
