import { afterEach, beforeEach, expect, test, vi } from 'vitest';

import { Client } from '../src/lib/api/client';
import type { EntriesEvent } from '../src/lib/api/types';
import { readFilter } from '../src/lib/logs/filter';
import { HELD_ENTRIES, LogPager, PAGE_ENTRIES } from '../src/lib/logs/pager.svelte';
import { anEntry, MemoryServer, NOW } from './server';

let server: MemoryServer;
let pager: LogPager;
let following = true;
const filter = readFilter(new URLSearchParams(''));

beforeEach(() => {
  vi.useFakeTimers();
  following = true;
  server = new MemoryServer();
  pager = new LogPager(
    new Client(server),
    () => NOW,
    () => following,
  );
  server.listen(null, {
    opened: () => {},
    lost: () => {},
    message: ({ event, data }) => event === 'entries' && pager.heard(data as EntriesEvent),
  });
});

afterEach(() => vi.useRealTimers());

const many = (from: number, count: number) =>
  Array.from({ length: count }, (_, i) => anEntry(from + i));
const seqs = () => pager.entries.map(({ seq }) => seq);
const run = (from: number, count: number) => Array.from({ length: count }, (_, i) => from + i);

test('the newest page comes first, oldest line on top', async () => {
  server.entries = many(1, 500);
  await pager.start(filter);
  expect(seqs()).toEqual(run(301, 200));
  expect(pager.newer.kind).toBe('end');
});

test('older pages join without a gap or a repeat, up to the end', async () => {
  server.entries = many(1, 500);
  await pager.start(filter);
  await pager.loadOlder();
  await pager.loadOlder();
  expect(seqs()).toEqual(run(1, 500));
  expect(pager.older.kind).toBe('end');
});

test('far pages are dropped, and come back from the other end', async () => {
  server.entries = many(1, 3000);
  following = false;
  await pager.start(filter);
  while (pager.older.kind === 'more') await pager.loadOlder();
  expect(seqs()).toEqual(run(1, HELD_ENTRIES));
  while (pager.newer.kind === 'more') await pager.loadNewer();
  expect(seqs()).toEqual(run(3000 - HELD_ENTRIES + 1, HELD_ENTRIES));
});

test('new lines are appended once while following', async () => {
  server.entries = many(1, 10);
  await pager.start(filter);
  server.store(...many(11, 3));
  server.store(...many(14, 2));
  await vi.advanceTimersByTimeAsync(1000);
  expect(seqs()).toEqual(run(1, 15));
  expect(pager.arrived).toBe(0);
});

test('a late batch is filed between the lines that are shown', async () => {
  server.entries = many(1, 100);
  await pager.start(filter);
  const late = many(0, 3).map((entry, i) => ({
    ...entry,
    id: `late${i}`,
    machine_id: 'VM002',
    seq: 1000 + i,
    filed_at: anEntry(50 + i).filed_at,
  }));
  server.store(...late);
  await vi.advanceTimersByTimeAsync(1000);
  expect(pager.entries).toHaveLength(103);
  expect(pager.entries.map(({ id }) => id)).toEqual(server.entries.map(({ id }) => id));
});

test('a reader who looks elsewhere is told how many lines came', async () => {
  server.entries = many(1, 10);
  await pager.start(filter);
  following = false;
  server.store(...many(11, 7));
  await vi.advanceTimersByTimeAsync(1000);
  expect(pager.arrived).toBe(7);
});

test('entries that the filter hides are not asked for', async () => {
  server.entries = many(1, 10);
  await pager.start({ ...filter, level: 'ERROR', machines: ['VM001'] });
  const before = server.asked.length;
  server.store(anEntry(11));
  server.store(anEntry(12, { machine_id: 'VM002', level: 'ERROR' }));
  await vi.advanceTimersByTimeAsync(1000);
  expect(server.asked.length).toBe(before);
});

test('lines that come while the first page is on its way are not lost', async () => {
  server.entries = many(1, 10);
  const started = pager.start(filter);
  server.store(anEntry(11));
  await vi.advanceTimersByTimeAsync(1000);
  await started;
  await vi.advanceTimersByTimeAsync(1000);
  expect(seqs()).toEqual(run(1, 11));
});

test('more entries in one millisecond than a page holds are all reached', async () => {
  const filed_at = anEntry(5).filed_at;
  server.entries = many(1, PAGE_ENTRIES * 2 + 50).map((entry) => ({ ...entry, filed_at }));
  await pager.start(filter);
  while (pager.older.kind === 'more') await pager.loadOlder();
  expect(seqs()).toEqual(run(1, PAGE_ENTRIES * 2 + 50));
});

test('a link to an old entry shows it among its neighbours', async () => {
  server.entries = many(1, 3000);
  await pager.start(filter, 'e1000');
  expect(seqs()).toContain(1000);
  expect(seqs()).toEqual(run(801, 399));
  expect(pager.newer.kind).toBe('more');
});

test('a search that ran out of time says how far it came and goes on', async () => {
  server.entries = many(1, 100);
  server.budget = 30;
  await pager.start(filter);
  expect(pager.older).toMatchObject({ kind: 'more', searchedTo: anEntry(71).filed_at });
  await pager.loadOlder();
  expect(seqs()).toEqual(run(41, 60));
});

test('a page that fails leaves what is shown and can be tried again', async () => {
  server.entries = many(1, 500);
  await pager.start(filter);
  server.fate = 'unreachable';
  await pager.loadOlder();
  expect(pager.older.kind).toBe('failed');
  expect(seqs()).toEqual(run(301, 200));
  server.fate = 'answers';
  await pager.loadOlder();
  expect(seqs()).toEqual(run(101, 400));
});
