import { expect, test } from 'vitest';

import { ListPlace } from '../src/lib/logs/list.svelte';
import { drawn, offsetsOf, OVERSCAN_ROWS, ROW_PX, rowAt } from '../src/lib/logs/rows';
import { anEntry } from './server';

test('a row is found by where it begins', () => {
  const offsets = offsetsOf([20, 100, 20]);
  expect(offsets).toEqual([0, 20, 120, 140]);
  expect([0, 19, 20, 119, 120, 500, -5].map((y) => rowAt(offsets, y))).toEqual([
    0, 0, 1, 1, 2, 2, 0,
  ]);
});

test('only what is near the view is drawn', () => {
  const offsets = offsetsOf(Array.from({ length: 1000 }, () => ROW_PX));
  const { first, last } = drawn(offsets, 500 * ROW_PX, 30 * ROW_PX);
  expect(first).toBe(500 - OVERSCAN_ROWS);
  expect(last).toBe(531 + OVERSCAN_ROWS);
});

test('an empty list draws nothing', () => {
  expect(drawn(offsetsOf([]), 0, 600)).toEqual({ first: 0, last: 0 });
});

test('what is read stays where it is when rows come in above', () => {
  let entries = Array.from({ length: 300 }, (_, i) => anEntry(i + 200));
  const place = new ListPlace(() => entries);
  place.height = 600;
  place.scrolledTo(2000);
  const read = place.firstInView?.id;
  entries = [...Array.from({ length: 200 }, (_, i) => anEntry(i)), ...entries];
  const grown = new ListPlace(() => entries);
  Object.assign(grown, { height: 600 });
  grown.scrolledTo(2000 + 200 * ROW_PX);
  expect(grown.firstInView?.id).toBe(read);
});
