import { expect, test } from 'vitest';

import { bytes, contextValue, counted } from '../src/lib/format/number';
import { duration, since } from '../src/lib/format/time';

test('durations have two units at most, and always a unit', () => {
  const words = [0, 12_000, 61_000, 7_800_000, 7_200_000, 90_000_000, 40 * 86_400_000].map(
    duration,
  );
  expect(words).toEqual(['0 s', '12 s', '1 min', '2 h 10 min', '2 h', '1 d 1 h', '40 d']);
});

test('a moment ago is now, and so is a clock that is a little ahead', () => {
  const now = Date.parse('2026-01-22T14:30:15Z');
  expect(since('2026-01-22T14:30:13Z', now)).toBe('now');
  expect(since('2026-01-22T14:30:25Z', now)).toBe('now');
  expect(since('2026-01-22T14:28:00Z', now)).toBe('2 min');
});

test('cents are shown as money', () => {
  expect(contextValue('amount_cents', 2000)).toBe('$20.00');
  expect(contextValue('amount_cents', '2000')).toBe('2000');
  expect(contextValue('retry_count', 3)).toBe('3');
  expect(contextValue('nested', { a: 1 })).toBe('{"a":1}');
});

test('numbers carry their units', () => {
  expect([bytes(0), bytes(999), bytes(1_400_000_000), bytes(152_000_000)]).toEqual([
    '0 B',
    '999 B',
    '1.4 GB',
    '152 MB',
  ]);
  expect([counted(1, 'line'), counted(12_034, 'line')]).toEqual(['1 line', '12,034 lines']);
});
