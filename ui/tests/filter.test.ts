import { expect, test } from 'vitest';

import {
  askFor,
  type LogFilter,
  readFilter,
  readLogView,
  writeFilter,
} from '../src/lib/logs/filter';
import { inWords, relativeMs, widerThan } from '../src/lib/logs/range';
import { withQuery } from '../src/lib/route/paths';

const NOW = Date.parse('2026-01-22T15:00:00.000Z');
const read = (query: string) => readFilter(new URLSearchParams(query));

test('every filter survives the address', () => {
  const filter: LogFilter = {
    machines: ['VM001', 'VM 2'],
    components: ['eport-link', 'a&b=c'],
    level: 'ERROR',
    from: '2026-01-22T14:00:00.000Z',
    to: '2026-01-22T14:30:00.000Z',
    q: 'timeout "after 30s" -motor +x%',
  };
  const address = withQuery('/logs', writeFilter(filter));
  expect(readFilter(new URL(address, 'http://x').searchParams)).toEqual(filter);
});

test('an address without a filter means the last 24 hours of everything', () => {
  const filter = read('');
  expect(writeFilter(filter).toString()).toBe('');
  expect(Object.fromEntries(askFor(filter, NOW))).toEqual({ from: '2026-01-21T15:00:00.000Z' });
});

test('nonsense in the address is not asked of the server', () => {
  const filter = read('level=LOUD&from=yesterday&to=never&follow=maybe');
  expect(filter).toMatchObject({ level: 'DEBUG', from: '-24h', to: '' });
});

test('everything stored means no bound', () => {
  expect(askFor(read('from=all'), NOW).has('from')).toBe(false);
});

test('the page of a machine keeps its id out of the query', () => {
  const own = readFilter(new URLSearchParams('level=WARN&machine=VM009'), 'VM001');
  expect(own.machines).toEqual(['VM001']);
  expect(writeFilter(own, 'VM001').toString()).toBe('level=WARN');
});

test('a view follows unless it is told not to or shows one entry', () => {
  const follows = (query: string) => readLogView(new URLSearchParams(query)).follow;
  expect([
    follows(''),
    follows('follow=0'),
    follows('entry=e1'),
    follows('entry=e1&follow=1'),
  ]).toEqual([true, false, false, true]);
});

test('ranges are said in words', () => {
  expect(inWords({ from: '-24h', to: '' })).toBe('Last 24 hours');
  expect(inWords({ from: '-90m', to: '' })).toBe('Last 1 h 30 min');
  expect(inWords({ from: 'all', to: '' })).toBe('Everything stored');
  expect(inWords({ from: '2026-01-22T14:00:00Z', to: '2026-01-22T15:30:00Z' })).toMatch(
    /\(1 h 30 min\)$/,
  );
});

test('relative starts are bounded words, not arithmetic', () => {
  expect(relativeMs('-15m')).toBe(900_000);
  expect([relativeMs('-h'), relativeMs('24h'), relativeMs('-99999h')]).toEqual([null, null, null]);
});

test('a longer range is offered until there is none', () => {
  expect(widerThan({ from: '-1h', to: '' })?.from).toBe('-6h');
  expect(widerThan({ from: 'all', to: '' })).toBeUndefined();
});
