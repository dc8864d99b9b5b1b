// Which rows of a long list stand where: pure arithmetic over heights.

/** A closed row on one line, in px: 30 of them on a small screen. `--line-px` is the same. */
export const ROW_PX = 20;
/** The line that names the day, above the first entry of it. */
export const DAY_PX = 24;
/** Rows drawn beyond each edge of the view, so that a quick scroll shows no blank. */
export const OVERSCAN_ROWS = 12;

/** Where each row begins; one more than there are rows, the last is the whole height. */
export function offsetsOf(heights: readonly number[]): number[] {
  const offsets = [0];
  let at = 0;
  for (const height of heights) offsets.push((at += height));
  return offsets;
}

/** The row at `y`: the last one that begins at or above it. */
export function rowAt(offsets: readonly number[], y: number): number {
  let low = 0;
  let high = offsets.length - 2;
  while (low < high) {
    const middle = (low + high + 1) >> 1;
    if ((offsets[middle] ?? 0) <= y) low = middle;
    else high = middle - 1;
  }
  return Math.max(0, low);
}

/** Rows `first` to `last` (excluded) are to be drawn for a view of `height` px scrolled to `top`. */
export function drawn(
  offsets: readonly number[],
  top: number,
  height: number,
): { first: number; last: number } {
  const rows = offsets.length - 1;
  const first = Math.max(0, rowAt(offsets, top) - OVERSCAN_ROWS);
  const last = Math.min(rows, rowAt(offsets, top + height) + 1 + OVERSCAN_ROWS);
  return { first, last };
}
