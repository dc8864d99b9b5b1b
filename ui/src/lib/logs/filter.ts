// What the log list shows: read from the address, written to it, and asked of the API.
import { LEVELS, type Level } from '../api/types';
import { DEFAULT_FROM, isRangeStart, type Range, resolve } from './range';

export interface LogFilter extends Range {
  machines: string[];
  components: string[];
  /** This level and graver. */
  level: Level;
  q: string;
}

/** The part of the address that is not a filter but what the reader looks at. */
export interface LogView {
  follow: boolean;
  /** The entry that is open. */
  entry: string | null;
}

export function readFilter(query: URLSearchParams, machine?: string): LogFilter {
  const from = query.get('from') ?? '';
  const to = query.get('to') ?? '';
  return {
    machines: machine ? [machine] : query.getAll('machine'),
    components: query.getAll('component'),
    level: LEVELS.find((level) => level === query.get('level')) ?? 'DEBUG',
    from: isRangeStart(from) ? from : DEFAULT_FROM,
    to: Number.isFinite(Date.parse(to)) ? to : '',
    q: query.get('q') ?? '',
  };
}

export function readLogView(query: URLSearchParams): LogView {
  const entry = query.get('entry');
  const follow = query.get('follow');
  return { entry, follow: follow === null ? !entry : follow !== '0' };
}

/** The address' query; the page's own machine is in its path already. */
export function writeFilter(filter: LogFilter, ownMachine?: string): URLSearchParams {
  const query = new URLSearchParams();
  if (!ownMachine) for (const machine of filter.machines) query.append('machine', machine);
  if (filter.level !== 'DEBUG') query.set('level', filter.level);
  for (const component of filter.components) query.append('component', component);
  if (filter.from !== DEFAULT_FROM || filter.to) query.set('from', filter.from);
  if (filter.to) query.set('to', filter.to);
  if (filter.q) query.set('q', filter.q);
  return query;
}

/** The same filter as the API's query parameters, with times resolved at `now`. */
export function askFor(filter: LogFilter, now: number): URLSearchParams {
  const query = new URLSearchParams();
  for (const machine of filter.machines) query.append('machine', machine);
  if (filter.level !== 'DEBUG') query.set('level', filter.level);
  for (const component of filter.components) query.append('component', component);
  const { from, to } = resolve(filter, now);
  if (from) query.set('from', from);
  if (to) query.set('to', to);
  if (filter.q.trim()) query.set('q', filter.q.trim());
  return query;
}

/** True when anything but the time range narrows the list. */
export function isNarrowed(filter: LogFilter): boolean {
  const { machines, components, level, q } = filter;
  return machines.length + components.length > 0 || level !== 'DEBUG' || q.trim() !== '';
}
