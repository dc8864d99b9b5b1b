// Where the reader is in a log list: what is drawn, what is held in place, what is active.
import type { LogEntry } from '../api/types';
import type { Edge, LogPager } from './pager.svelte';
import { DAY_PX, drawn, offsetsOf, ROW_PX, rowAt } from './rows';

/** The line at each end that says what lies beyond. */
export const EDGE_PX = 28;
/** Nearer to an end than this, the next page is fetched. */
const NEAR_PX = 800;

export class ListPlace {
  /** How far it is scrolled, and how high the view is, in px. */
  top = $state(0);
  height = $state(0);
  /** The row the keyboard is on. */
  active = $state<string | null>(null);
  /** Heights of rows that are open or wrapped. */
  #measured = $state.raw(new Map<string, number>());
  /** The first row in view and how far above the view's edge it begins. */
  #anchor: { id: string; above: number } | null = null;

  readonly entries: () => LogEntry[];
  /** Whether a row is the first of its day, and carries its name above it. */
  readonly days = $derived.by(() =>
    this.entries().map((entry, i, all) => opensDay(entry, all[i - 1])),
  );
  /** Where each row begins, in px from the first; one more than there are rows. */
  readonly offsets = $derived.by(() => offsetsOf(this.entries().map((row, i) => this.#px(row, i))));
  /** The rows to draw. */
  readonly range = $derived.by(() => drawn(this.offsets, this.top - EDGE_PX, this.height));

  constructor(entries: () => LogEntry[]) {
    this.entries = entries;
  }

  /** The entry at the top of the view. */
  get firstInView(): LogEntry | undefined {
    return this.entries()[rowAt(this.offsets, this.top - EDGE_PX)];
  }

  measure(id: string, height: number | null): void {
    if ((this.#measured.get(id) ?? null) === height) return;
    const next = new Map(this.#measured);
    if (height === null) next.delete(id);
    else next.set(id, height);
    this.#measured = next;
  }

  isMeasured(id: string): boolean {
    return this.#measured.has(id);
  }

  forgetHeights(): void {
    this.#measured = new Map();
  }

  /** The reader scrolled: from now on this is what must stay where it is. */
  scrolledTo(top: number): void {
    this.top = top;
    const index = rowAt(this.offsets, top - EDGE_PX);
    const entry = this.entries()[index];
    const begins = (this.offsets[index] ?? 0) + EDGE_PX;
    this.#anchor = entry ? { id: entry.id, above: top - begins } : null;
  }

  /** Where to scroll so that rows that came or went above move nothing; null when there is no anchor. */
  held(): number | null {
    const anchor = this.#anchor;
    if (!anchor) return null;
    const index = this.entries().findIndex(({ id }) => id === anchor.id);
    return index < 0 ? null : (this.offsets[index] ?? 0) + EDGE_PX + anchor.above;
  }

  /** Where to scroll so that the row `id` is in view: as little as possible, or to its middle. */
  scrollFor(id: string, middle = false): number | null {
    const index = this.entries().findIndex((entry) => entry.id === id);
    if (index < 0) return null;
    const from = (this.offsets[index] ?? 0) + EDGE_PX;
    const to = (this.offsets[index + 1] ?? from) + EDGE_PX;
    if (middle) return Math.max(0, from - this.height / 3);
    if (from < this.top) return from;
    if (to > this.top + this.height) return Math.min(from, to - this.height);
    return this.top;
  }

  /** The row `step` rows from the active one; the edge of the view when none is active yet. */
  step(step: number): LogEntry | undefined {
    const entries = this.entries();
    const at = entries.findIndex(({ id }) => id === this.active);
    if (at >= 0) return entries[Math.min(entries.length - 1, Math.max(0, at + step))];
    const edge = step > 0 ? this.top : this.top + this.height - 1;
    return entries[rowAt(this.offsets, edge - EDGE_PX)];
  }

  isNear(end: 'oldest' | 'newest'): boolean {
    const whole = (this.offsets.at(-1) ?? 0) + 2 * EDGE_PX;
    return end === 'oldest' ? this.top < NEAR_PX : whole - this.top - this.height < NEAR_PX;
  }

  #px({ id }: LogEntry, index: number): number {
    return (this.#measured.get(id) ?? ROW_PX) + (this.days[index] ? DAY_PX : 0);
  }
}

/** Fetches the next page at an end that is near; a search that was cut short waits for a person. */
export function loadNear(place: ListPlace, pager: LogPager): void {
  const { phase, older, newer } = pager;
  if (phase !== 'ready') return;
  const wants = (edge: Edge) => edge.kind === 'more' && !edge.searchedTo;
  if (wants(older) && place.isNear('oldest')) void pager.loadOlder();
  if (wants(newer) && place.isNear('newest')) void pager.loadNewer();
}

/** The local day of an entry, told once: dates are slow and lists are long. */
const days = new WeakMap<LogEntry, string>();

function dayOf(entry: LogEntry): string {
  const known = days.get(entry) ?? new Date(entry.filed_at).toDateString();
  days.set(entry, known);
  return known;
}

function opensDay(entry: LogEntry, before: LogEntry | undefined): boolean {
  return !before || dayOf(entry) !== dayOf(before);
}
