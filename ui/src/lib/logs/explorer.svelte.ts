// The state of one log view: what the address asks for, what is loaded, whether it follows.
import type { LiveMessage } from '../api/transport';
import type { EntriesEvent } from '../api/types';
import type { Session } from '../app/session.svelte';
import { LOGS, machinePath, withQuery } from '../route/paths';
import { type LogFilter, readFilter, readLogView, writeFilter } from './filter';
import { HistogramState } from './histogram.svelte';
import { LogPager } from './pager.svelte';
import { DEFAULT_FROM, type Range } from './range';
import { searchedFor } from './search';

const WRAP_KEY = 'vendlog.wrap';

export class Explorer {
  readonly session: Session;
  readonly ownMachine: string | undefined;
  readonly pager: LogPager;
  readonly counts: HistogramState;
  /** The reader scrolled away from the newest line, or opened one. */
  away = $state(false);
  wrap = $state(localStorage.getItem(WRAP_KEY) === 'yes');

  readonly filter = $derived.by(() => readFilter(this.session.router.query, this.ownMachine));
  readonly view = $derived.by(() => readLogView(this.session.router.query));
  /** Changes exactly when other entries are wanted. */
  readonly wanted = $derived.by(() => `${this.ownMachine}?${writeFilter(this.filter)}`);
  readonly canFollow = $derived.by(() => this.filter.to === '');
  readonly following = $derived.by(
    () => this.canFollow && this.view.follow && !this.away && !this.session.live.paused,
  );
  readonly terms = $derived.by(() => searchedFor(this.filter.q));
  readonly zoomed = $derived.by(() => 'before' in this.session.router.memory);

  constructor(session: Session, ownMachine?: string) {
    this.session = session;
    this.ownMachine = ownMachine;
    const now = () => session.clock.now;
    this.pager = new LogPager(session.client, now, () => this.following);
    this.counts = new HistogramState(session.client, now);
  }

  /** Loads what the address asks for. */
  load(): void {
    this.away = this.view.entry !== null;
    void this.pager.start(this.filter, this.view.entry);
    void this.counts.load(this.filter);
  }

  listen(): () => void {
    const stop = this.session.live.on((message) => this.#heard(message));
    return () => {
      stop();
      this.pager.stop();
      this.counts.stop();
    };
  }

  /** Changes the filter; "back" undoes it unless it is typed letter by letter. */
  change(part: Partial<LogFilter>, memory: Record<string, string> = {}): void {
    this.#go({ ...this.filter, ...part }, { follow: this.#followParam() }, { memory });
  }

  zoom(from: number, to: number): void {
    const iso = (at: number) => new Date(at).toISOString();
    const before = this.session.router.memory['before'] ?? `${this.filter.from} ${this.filter.to}`;
    this.change({ from: iso(from), to: iso(to) }, { before });
  }

  resetZoom(): void {
    const [from = DEFAULT_FROM, to = ''] = this.session.router.memory['before']?.split(' ') ?? [];
    this.change({ from, to } satisfies Range);
  }

  open(entry: string | null): void {
    const more = { follow: this.#followParam(), entry };
    this.#go(this.filter, more, { replace: true, memory: this.session.router.memory });
  }

  toggleFollow(): void {
    if (!this.canFollow) return;
    if (this.view.follow && this.away) return this.resume();
    const follow = this.view.follow ? '0' : '1';
    this.away = false;
    const { memory } = this.session.router;
    this.#go(this.filter, { follow, entry: this.view.entry }, { replace: true, memory });
    if (follow === '1') this.resume();
  }

  /** Back to the newest line. */
  resume(): void {
    if (this.view.entry) this.open(null);
    this.away = false;
    void this.pager.toNewest();
  }

  toggleWrap(): void {
    this.wrap = !this.wrap;
    localStorage.setItem(WRAP_KEY, this.wrap ? 'yes' : 'no');
  }

  #heard({ event, data }: LiveMessage): void {
    if (event === 'entries') {
      const told = data as EntriesEvent;
      this.pager.heard(told);
      const { machines } = this.filter;
      if (machines.length === 0 || machines.includes(told.machine_id)) this.counts.heard();
    }
    const broken = this.pager.phase === 'error' || this.pager.newer.kind === 'failed';
    if (event === 'reset' || (event === 'returned' && broken)) {
      this.pager.lostCount();
      void this.counts.load(this.filter);
    }
  }

  #followParam(): string | null {
    return this.session.router.query.get('follow');
  }

  #go(
    filter: LogFilter,
    view: { follow: string | null; entry?: string | null },
    options: { replace?: boolean; memory: Record<string, string> },
  ): void {
    const query = writeFilter(filter, this.ownMachine);
    if (view.follow) query.set('follow', view.follow);
    if (view.entry) query.set('entry', view.entry);
    const path = this.ownMachine ? machinePath(this.ownMachine) : LOGS;
    this.session.router.go(withQuery(path, query), options);
  }
}
