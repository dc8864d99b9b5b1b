// Counts over time as bars: pure geometry, so that the picture can be tested.
import type { HistogramAnswer } from '../api/types';
import { DAY, dayOf, HOUR, minuteOf, secondOf } from '../format/time';

/** Errors are few among many lines: they have a lane, and a scale, of their own. */
export const BANDS = ['critical', 'error', 'warn'] as const;
export type Band = (typeof BANDS)[number];

/** However few, an error is never too small to be seen. */
const LEAST_PX = 2;
/** So many fill the lane of warnings and errors at least: one error must not look like a storm. */
export const GRAVE_FULL_AT_LEAST = 10;

export interface Part {
  band: Band;
  y: number;
  height: number;
}

/** Warnings and worse of one bin, stacked from the ground up, where `most` fill `height` px. */
export function stack(counts: number[], most: number, height: number): Part[] {
  const [, , warn = 0, error = 0, critical = 0] = counts;
  const values: Record<Band, number> = { critical, error, warn };
  const parts: Part[] = [];
  let top = height;
  for (const band of BANDS) {
    if (values[band] === 0) continue;
    const tall = Math.min(top, Math.max(LEAST_PX, (values[band] / most) * height));
    top -= tall;
    parts.push({ band, y: top, height: tall });
  }
  return parts;
}

/** Warnings, errors and criticals together. */
export function grave([, , warn = 0, error = 0, critical = 0]: number[]): number {
  return warn + error + critical;
}

export function total(counts: number[]): number {
  return counts.reduce((sum, n) => sum + n, 0);
}

/** Sums of all bins by level. */
export function sums({ bins }: HistogramAnswer): number[] {
  return bins.reduce((all, bin) => all.map((n, level) => n + (bin[level] ?? 0)), [0, 0, 0, 0, 0]);
}

const STEPS = [
  1000,
  5000,
  15_000,
  60_000,
  300_000,
  900_000,
  1_800_000,
  HOUR,
  3 * HOUR,
  6 * HOUR,
  12 * HOUR,
  DAY,
  2 * DAY,
  7 * DAY,
  14 * DAY,
  30 * DAY,
];

/** Round local times between `from` and `to`, about `wanted` of them, each with its words. */
export function ticks(from: number, to: number, wanted: number): { at: number; words: string }[] {
  const step = STEPS.find((ms) => (to - from) / ms <= wanted) ?? 60 * DAY;
  const zone = new Date(from).getTimezoneOffset() * 60_000;
  const found: { at: number; words: string }[] = [];
  for (let at = Math.ceil((from - zone) / step) * step + zone; at <= to; at += step) {
    const midnight = new Date(at).getHours() === 0 && new Date(at).getMinutes() === 0;
    const time = step < 60_000 ? secondOf(at) : minuteOf(at);
    found.push({ at, words: midnight || step >= DAY ? dayOf(at) : time });
  }
  return found;
}
