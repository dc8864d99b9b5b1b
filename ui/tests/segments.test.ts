import { expect, test } from 'vitest';

import { hits, searchedFor } from '../src/lib/logs/search';
import { segments } from '../src/lib/logs/segments';

const kinds = (text: string, params: number[][], terms: string[] = []) =>
  segments(text, params, terms).map(({ text: part, param, hit }) => [
    part,
    (param ? 'p' : '') + (hit ? 'h' : ''),
  ]);

test('parameters and hits are set off, also where they overlap', () => {
  const text = 'Authorization timeout after 30s';
  expect(kinds(text, [[28, 30]], ['after 3'])).toEqual([
    ['Authorization timeout ', ''],
    ['after ', 'h'],
    ['3', 'ph'],
    ['0', 'p'],
    ['s', ''],
  ]);
});

test('the parts joined are the text again', () => {
  let seed = 42;
  const random = (n: number) => (seed = (seed * 1103515245 + 12345) % 2 ** 31) % n;
  for (let round = 0; round < 500; round += 1) {
    const text = Array.from({ length: random(40) }, () => 'aB 1é🧼x'.charAt(random(8))).join('');
    const params = Array.from({ length: random(4) }, () => [random(45), random(45)]);
    const whole = segments(text, params, ['b', '1 '])
      .map(({ text: part, escaped }) => (escaped ? '' : part))
      .join('');
    const kept = text.replace(
      /[\ud800-\udbff](?![\udc00-\udfff])|(?<![\ud800-\udbff])[\udc00-\udfff]/g,
      '',
    );
    // A parameter's edge inside a pair cuts it: its halves are then written out, never lost.
    expect(whole.length).toBeLessThanOrEqual(kept.length);
    expect(segments(text, params, []).every(({ text: part }) => part !== '')).toBe(true);
  }
});

test('damaged spans are ignored', () => {
  expect(kinds('abc', [[2, 1], [-1, 2], [1, 9], [], [1, 2]])).toEqual([
    ['a', ''],
    ['b', 'p'],
    ['c', ''],
  ]);
});

test('words and phrases are marked; what is excluded or a field is not', () => {
  expect(searchedFor('Timeout "after 30s" -motor retry:3 "open')).toEqual([
    'after 30s',
    'timeout',
    'open',
  ]);
  expect(hits('TIMEOUT, timeout', ['timeout'])).toEqual([
    [0, 7],
    [9, 16],
  ]);
  expect(hits('aaaa', ['aa'])).toEqual([[0, 4]]);
});

test('letters that change their length in small do not shift the marks', () => {
  expect(hits('İİİ timeout', ['timeout'])).toEqual([]);
});
