// Time ranges: as the address writes them ("-24h", a time, "all"), as the API wants them, in words.
import { DAY, HOUR, dayOf, duration, minuteOf, secondOf } from '../format/time';

/** What the log pages show when the address says nothing: enough for "what happened today". */
export const DEFAULT_FROM = '-24h';

export const PRESETS: readonly { from: string; words: string }[] = [
  { from: '-15m', words: 'Last 15 minutes' },
  { from: '-1h', words: 'Last hour' },
  { from: '-6h', words: 'Last 6 hours' },
  { from: '-24h', words: 'Last 24 hours' },
  { from: '-7d', words: 'Last 7 days' },
  { from: '-30d', words: 'Last 30 days' },
  { from: 'all', words: 'Everything stored' },
];

const UNIT_MS: Record<string, number> = { m: 60_000, h: HOUR, d: DAY };

export interface Range {
  /** `-24h` (until now), an RFC 3339 time, or `all`. */
  from: string;
  /** An RFC 3339 time, or empty for "until now, and on". */
  to: string;
}

/** How long ago a relative `from` begins, in ms; null when it is not relative. */
export function relativeMs(from: string): number | null {
  const found = /^-(\d{1,4})([mhd])$/.exec(from);
  const unit = UNIT_MS[found?.[2] ?? ''];
  return found && unit ? Number(found[1]) * unit : null;
}

export function isRangeStart(from: string): boolean {
  return from === 'all' || relativeMs(from) !== null || Number.isFinite(Date.parse(from));
}

/** Start and end as the API takes them; undefined where there is no bound. */
export function resolve({ from, to }: Range, now: number): { from?: string; to?: string } {
  const relative = relativeMs(from);
  const bounds: { from?: string; to?: string } = {};
  if (relative !== null) bounds.from = new Date(now - relative).toISOString();
  else if (from !== 'all') bounds.from = new Date(from).toISOString();
  if (to) bounds.to = new Date(to).toISOString();
  return bounds;
}

/** "Last 24 hours", or "22 Jan 14:00 – 15:30 (1 h 30 min)". */
export function inWords({ from, to }: Range): string {
  const preset = PRESETS.find((known) => known.from === from);
  if (!to && preset) return preset.words;
  const relative = relativeMs(from);
  if (!to && relative !== null) return `Last ${duration(relative)}`;
  if (!to) return `Since ${dayOf(Date.parse(from))} ${minuteOf(Date.parse(from))}`;
  if (from === 'all') return `Up to ${dayOf(Date.parse(to))} ${minuteOf(Date.parse(to))}`;
  return span(Date.parse(from), Date.parse(to));
}

/** Two moments in words; seconds only where minutes would say too little. */
export function span(from: number, to: number): string {
  const fine = to - from < 10 * 60_000 ? secondOf : minuteOf;
  const sameDay = new Date(from).toDateString() === new Date(to).toDateString();
  const end = sameDay ? fine(to) : `${dayOf(to)} ${fine(to)}`;
  return `${dayOf(from)} ${fine(from)} – ${end} (${duration(to - from)})`;
}

/** The next longer preset, when there is one. */
export function widerThan({ from, to }: Range): { from: string; words: string } | undefined {
  const at = PRESETS.findIndex((preset) => preset.from === from);
  if (from === 'all' && !to) return undefined;
  const next = to || at < 0 ? PRESETS.find((preset) => preset.from === '-7d') : PRESETS[at + 1];
  return next && { from: next.from, words: `Show ${next.words.toLowerCase()}` };
}
