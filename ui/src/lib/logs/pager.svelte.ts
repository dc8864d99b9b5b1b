// The loaded part of a log list: a run of entries without holes, grown by pages at both ends and by
// live arrivals, and cut at the far end so that it never grows for ever.
import type { Client } from '../api/client';
import { describe, type Failure, wasAborted } from '../api/failure';
import type { EntriesEvent, LogEntry, LogPage } from '../api/types';
import { Arrivals } from './arrivals';
import { askFor, type LogFilter } from './filter';
import { mergeEntries } from './merge';

export const PAGE_ENTRIES = 200;
/** At most so many entries are held: six pages, a few hundred KB. */
export const HELD_ENTRIES = 1_200;
/** Entries of one millisecond may fill a page; beyond so many pages something is wrong. */
const PAGES_AT_ONCE = 6;

/** What lies beyond an end of the run. */
export type Edge =
  | { kind: 'end' }
  | { kind: 'more'; cursor: string | null; searchedTo: string | null }
  | { kind: 'loading' }
  /** Tried again from `cursor`, as if it had not been tried. */
  | { kind: 'failed'; cursor: string | null; failure: Failure };

const END: Edge = { kind: 'end' };
const MORE: Edge = { kind: 'more', cursor: null, searchedTo: null };

export class LogPager {
  /** Oldest first. */
  entries = $state.raw<LogEntry[]>([]);
  phase = $state<'loading' | 'ready' | 'error'>('loading');
  failure = $state.raw<Failure | null>(null);
  older = $state.raw<Edge>(END);
  newer = $state.raw<Edge>(END);
  /** A new filter is being fetched while the old entries still stand. */
  stale = $state(false);
  /** Lines that came in below while the reader looked elsewhere. */
  arrived = $state(0);
  /** Counts the starts: the list places its first rows anew after each. */
  generation = $state(0);
  /** The entry that was asked for is not among what the filter shows. */
  absent = $state(false);

  /** All that the filter finds is loaded. */
  readonly isWhole = $derived.by(() => this.older.kind === 'end' && this.newer.kind === 'end');

  #filter: LogFilter | null = null;
  #run = new AbortController();
  readonly #arrivals = new Arrivals((pending) => this.#take(pending));

  constructor(
    readonly client: Client,
    readonly now: () => number,
    /** Whether the newest are wanted as they come. */
    readonly following: () => boolean,
  ) {}

  /** Shows the newest entries of `filter`, or those around the entry `at`. */
  async start(filter: LogFilter, at: string | null = null): Promise<void> {
    this.#run.abort();
    this.#run = new AbortController();
    this.#filter = filter;
    this.#arrivals.clear();
    this.stale = this.phase === 'ready';
    if (!this.stale) this.phase = 'loading';
    try {
      if (at) await this.#loadAround(filter, at);
      else await this.#loadNewest(filter);
      this.phase = 'ready';
      this.stale = false;
      this.failure = null;
      this.arrived = 0;
      this.generation += 1;
      this.absent = at !== null && !this.entries.some(({ id }) => id === at);
    } catch (error) {
      if (wasAborted(error)) return;
      this.stale = false;
      this.failure = describe(error, 'the log lines');
      this.phase = 'error';
    }
  }

  /** Ends everything under way. */
  stop(): void {
    this.#run.abort();
    this.#arrivals.clear();
  }

  async loadOlder(): Promise<void> {
    const edge = this.older;
    const oldest = this.entries[0];
    if (edge.kind === 'loading' || edge.kind === 'end' || !this.#filter) return;
    this.older = { kind: 'loading' };
    await this.#guard('older', edge.cursor, async (signal, filter) => {
      const { cursor } = edge;
      const page = await this.#page(filter, signal, 'desc', {
        cursor,
        // Filing times are answered to the millisecond but kept finer: one more, repeats fall out.
        to: oldest && !cursor ? later(oldest.filed_at) : null,
      });
      this.entries = mergeEntries(this.entries, page.entries.toReversed());
      this.older = edgeOf(page);
      this.#cut('newest');
    });
  }

  async loadNewer(): Promise<void> {
    const edge = this.newer;
    if (edge.kind === 'loading' || edge.kind === 'end' || !this.#filter) return;
    this.newer = { kind: 'loading' };
    await this.#guard('newer', edge.cursor, async (signal, filter) => {
      const { cursor } = edge;
      const page = await this.#page(filter, signal, 'asc', {
        cursor,
        from: cursor ? null : (this.entries.at(-1)?.filed_at ?? null),
      });
      this.entries = mergeEntries(this.entries, page.entries);
      this.newer = edgeOf(page);
      if (this.newer.kind === 'end') this.arrived = 0;
      this.#cut('oldest');
    });
  }

  /** Back to the newest, whatever was loaded. */
  toNewest(): Promise<void> {
    if (!this.#filter) return Promise.resolve();
    this.arrived = 0;
    return this.newer.kind === 'end' ? Promise.resolve() : this.start(this.#filter);
  }

  /** A live event: entries were stored. */
  heard(event: EntriesEvent): void {
    if (this.#filter) this.#arrivals.add(event, this.#filter);
  }

  /** Live events were lost: what came meanwhile is unknown. */
  lostCount(): void {
    if (!this.#filter || this.#filter.to) return;
    if (this.following() || this.phase !== 'ready') void this.start(this.#filter);
    else this.newer = MORE;
  }

  async #take(pending: { machines: string[]; from: string; count: number }): Promise<void> {
    const filter = this.#filter;
    if (!filter) return;
    if (this.phase !== 'ready' || this.stale) return this.#arrivals.putBack(pending);
    if (this.newer.kind !== 'end') {
      this.arrived += pending.count;
      return;
    }
    // A flood (a first import) is not worth fetching in full: the newest page is.
    if (this.following() && pending.count > PAGE_ENTRIES * PAGES_AT_ONCE) return this.start(filter);
    await this.#guard('newer', null, (signal) => this.#fetchArrived(filter, pending, signal));
  }

  async #fetchArrived(
    filter: LogFilter,
    { machines, from }: { machines: string[]; from: string },
    signal: AbortSignal,
  ): Promise<void> {
    const oldest = this.older.kind === 'end' ? undefined : this.entries[0]?.filed_at;
    const start = oldest && oldest > from ? oldest : from;
    const last = this.entries.at(-1);
    const came: LogEntry[] = [];
    let cursor: string | null = null;
    do {
      const narrowed = machines.length > 0 ? { ...filter, machines } : filter;
      const page: LogPage = await this.#page(narrowed, signal, 'asc', { cursor, from: start });
      came.push(...page.entries);
      cursor = page.next;
    } while (cursor && came.length < PAGE_ENTRIES * PAGES_AT_ONCE);
    // Only now: pages at the other end may have come in between.
    const merged = mergeEntries(this.entries, came);
    if (cursor) this.newer = MORE;
    const below = last ? merged.length - 1 - merged.indexOf(last) : merged.length;
    this.entries = merged;
    if (this.following()) this.#cut('oldest');
    else {
      this.arrived += below;
      if (merged.length > 2 * HELD_ENTRIES) this.#cut('newest');
    }
  }

  async #loadNewest(filter: LogFilter): Promise<void> {
    const page = await this.#page(filter, this.#run.signal, 'desc', {});
    this.entries = page.entries.toReversed();
    this.older = edgeOf(page);
    this.newer = END;
  }

  async #loadAround(filter: LogFilter, id: string): Promise<void> {
    const { signal } = this.#run;
    const around = await this.client.context(id, 0, 0, signal);
    const at = around.entries[around.index]?.filed_at;
    if (!at) return this.#loadNewest(filter);
    const [before, after] = await Promise.all([
      this.#page(filter, signal, 'desc', { to: later(at) }),
      this.#page(filter, signal, 'asc', { from: at }),
    ]);
    this.entries = mergeEntries(before.entries.toReversed(), after.entries);
    this.older = edgeOf(before);
    this.newer = edgeOf(after);
  }

  async #page(
    filter: LogFilter,
    signal: AbortSignal,
    order: 'asc' | 'desc',
    place: { cursor?: string | null; from?: string | null; to?: string | null },
  ): Promise<LogPage> {
    const query = askFor(filter, this.now());
    query.set('order', order);
    query.set('limit', String(PAGE_ENTRIES));
    const { cursor, from, to } = place;
    if (from && from > (query.get('from') ?? '')) query.set('from', from);
    if (to && to < (query.get('to') ?? '~')) query.set('to', to);
    if (cursor) query.set('cursor', cursor);
    const page = await this.client.logs(query, signal);
    // An answer may be there already when another filter is chosen: it must not be mixed in.
    signal.throwIfAborted();
    return page;
  }

  /** Runs a fetch for one end; its failure stays at that end, where it can be tried again. */
  async #guard(
    end: 'older' | 'newer',
    cursor: string | null,
    work: (signal: AbortSignal, filter: LogFilter) => Promise<void>,
  ): Promise<void> {
    const { signal } = this.#run;
    if (!this.#filter) return;
    try {
      await work(signal, this.#filter);
    } catch (error) {
      if (wasAborted(error) || signal.aborted) return;
      this[end] = { kind: 'failed', cursor, failure: describe(error, `${end} lines`) };
    }
  }

  /** Drops what lies far from where the reader is. */
  #cut(end: 'oldest' | 'newest'): void {
    const over = this.entries.length - HELD_ENTRIES;
    if (over <= 0) return;
    this.entries = end === 'oldest' ? this.entries.slice(over) : this.entries.slice(0, -over);
    if (end === 'oldest') this.older = MORE;
    else this.newer = MORE;
  }
}

function edgeOf({ next, searched_to }: LogPage): Edge {
  return next ? { kind: 'more', cursor: next, searchedTo: searched_to } : END;
}

/** One millisecond later. */
function later(at: string): string {
  return new Date(Date.parse(at) + 1).toISOString();
}
