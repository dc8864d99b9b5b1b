// The machines as last heard from the server, kept fresh by live events. Knows no page.
import type { Client } from '../api/client';
import { describe, type Failure, Refused, wasAborted } from '../api/failure';
import type { LiveMessage } from '../api/transport';
import type { Machine } from '../api/types';
import type { Clock } from '../app/clock.svelte';

/** Many machines speak at once; one list answers for all of them. */
const GATHER_MS = 400;
/** "In the last hour" moves on although nobody speaks. */
const REFRESH_MS = 30_000;

/** What says nothing of a machine's state. */
const NOT_OURS = ['tick', 'critical', 'navigate', 'source', 'quarantine'];

export class FleetState {
  machines = $state.raw<Machine[]>([]);
  phase = $state<'loading' | 'ready' | 'error'>('loading');
  failure = $state.raw<Failure | null>(null);
  readonly troubled = $derived(
    this.machines.filter(({ status }) => status === 'red' || status === 'yellow'),
  );
  #timer: ReturnType<typeof setTimeout> | undefined;
  #running = false;
  #again = false;

  constructor(
    readonly client: Client,
    readonly clock: Clock,
  ) {}

  start(): () => void {
    void this.load();
    const refresh = setInterval(() => void this.load(), REFRESH_MS);
    return () => {
      clearInterval(refresh);
      clearTimeout(this.#timer);
    };
  }

  heard({ event }: LiveMessage): void {
    if (NOT_OURS.includes(event)) return;
    this.#timer ??= setTimeout(() => {
      this.#timer = undefined;
      void this.load();
    }, GATHER_MS);
  }

  byId(id: string): Machine | undefined {
    return this.machines.find((machine) => machine.machine_id === id);
  }

  /** Fetches the list; what was shown stays until an answer is there. */
  async load(): Promise<void> {
    if (this.#running) {
      this.#again = true;
      return;
    }
    this.#running = true;
    try {
      const { machines, as_of } = await this.client.machines();
      this.clock.set(as_of);
      this.machines = machines;
      this.phase = 'ready';
      this.failure = null;
    } catch (error) {
      this.#failed(error);
    } finally {
      this.#running = false;
    }
    if (!this.#again) return;
    this.#again = false;
    await this.load();
  }

  #failed(error: unknown): void {
    if (wasAborted(error)) return;
    if (error instanceof Refused && error.status === 401) return;
    this.failure = describe(error, 'the machines');
    if (this.phase === 'loading') this.phase = 'error';
  }
}
