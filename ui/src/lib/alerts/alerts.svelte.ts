// The alerts and their configuration as last heard from the server. Knows no page.
import type { Client } from '../api/client';
import { describe, type Failure, Refused, wasAborted } from '../api/failure';
import type { LiveMessage } from '../api/transport';
import type { AlertConfig } from './config';
import type { Alert, Maintenance, Span } from './types';

/** A live event says when something changes; this is for what was missed. */
const REFRESH_MS = 30_000;
/** Alerts change in bursts: one look answers for all of them. */
const GATHER_MS = 300;
/** More open ones than anybody reads. */
const OPEN_MOST = '500';
/** How many of those that are over a page has. */
const OVER_PAGE = '50';

export class AlertsState {
  open = $state.raw<Alert[]>([]);
  over = $state.raw<Alert[]>([]);
  /** Where older ones begin; null when there are none. */
  next = $state.raw<number | null>(null);
  counts = $state.raw({ waiting: 0, firing: 0, acknowledged: 0 });
  away = $state.raw<Span[]>([]);
  phase = $state<'loading' | 'ready' | 'error'>('loading');
  failure = $state.raw<Failure | null>(null);
  config = $state.raw<AlertConfig | null>(null);
  configFailure = $state.raw<Failure | null>(null);
  readonly all = $derived([...this.open, ...this.over]);
  #run: Promise<void> | null = null;
  #again = false;
  #timer: ReturnType<typeof setTimeout> | undefined;
  #watched = 0;

  constructor(readonly client: Client) {}

  start(): () => void {
    void this.load();
    void this.loadConfig();
    const refresh = setInterval(() => void this.load(), REFRESH_MS);
    return () => {
      clearInterval(refresh);
      clearTimeout(this.#timer);
    };
  }

  /** Somebody looks at the list: what is over is wanted, too. Returns how to stop. */
  watch(): () => void {
    this.#watched += 1;
    void this.load();
    void this.loadConfig();
    return () => (this.#watched -= 1);
  }

  heard({ event }: LiveMessage): void {
    if (!['alert', 'maintenance', 'returned', 'reset'].includes(event)) return;
    this.#timer ??= setTimeout(() => {
      this.#timer = undefined;
      void this.load();
    }, GATHER_MS);
  }

  byId(id: number): Alert | undefined {
    return this.all.find((alert) => alert.id === id);
  }

  /** What is under way at the machine now, if anything. */
  maintenanceOf(machine: string, now: number): Maintenance | undefined {
    return this.config?.maintenance.find(
      ({ machines, from, until }) =>
        (machines.length === 0 || machines.includes(machine)) &&
        Date.parse(from) <= now &&
        now < Date.parse(until),
    );
  }

  /** Fetches anew; what was shown stays until an answer is there. A call during a fetch fetches again. */
  load(): Promise<void> {
    if (this.#run) this.#again = true;
    this.#run ??= this.#loop().finally(() => (this.#run = null));
    return this.#run;
  }

  async loadConfig(): Promise<void> {
    try {
      this.config = await this.client.alerts.config();
      this.configFailure = null;
    } catch (error) {
      if (isExpected(error)) return;
      this.configFailure = describe(error, 'the configuration of alerts');
    }
  }

  /** The next page of what is over. */
  async older(): Promise<void> {
    if (this.next === null) return;
    const query = { phase: 'resolved', limit: OVER_PAGE, before: `${this.next}` };
    const { alerts, next } = await this.client.alerts.list(query);
    this.over = [...this.over, ...alerts];
    this.next = next;
  }

  async #loop(): Promise<void> {
    do {
      this.#again = false;
      await this.#load();
    } while (this.#again);
  }

  async #load(): Promise<void> {
    try {
      const api = this.client.alerts;
      const [open, over] = await Promise.all([
        api.list({ phase: 'open', limit: OPEN_MOST }),
        this.#watched > 0 ? api.list({ phase: 'resolved', limit: OVER_PAGE }) : null,
      ]);
      this.open = open.alerts;
      this.counts = open.counts;
      this.away = open.watcher_away;
      if (over) this.#take(over.alerts, over.next);
      this.phase = 'ready';
      this.failure = null;
    } catch (error) {
      if (isExpected(error)) return;
      this.failure = describe(error, 'the alerts');
      if (this.phase === 'loading') this.phase = 'error';
    }
  }

  /** Older pages that somebody asked for stay. */
  #take(newest: Alert[], next: number | null): void {
    const last = newest.at(-1)?.id ?? 0;
    const older = next === null ? [] : this.over.filter(({ id }) => id < last);
    this.over = [...newest, ...older];
    if (older.length === 0) this.next = next;
  }
}

function isExpected(error: unknown): boolean {
  return wasAborted(error) || (error instanceof Refused && error.status === 401);
}
