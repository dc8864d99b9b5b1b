// Every address of the window is built here.

export const FLEET = '/';
export const LOGS = '/logs';
export const ALERTS = '/alerts';
export const RULES = '/alerts/rules';
export const PEOPLE = '/alerts/people';
export const CHANNELS = '/alerts/channels';
export const DELIVERIES = '/alerts/deliveries';
export const WORK = '/alerts/work';
export const WATCH = '/alerts/watch';
export const SOURCES = '/sources';
export const QUARANTINE = '/sources/quarantine';
export const DROPS = '/sources/drops';
export const DICTIONARIES = '/sources/dictionaries';

export function machinePath(id: string): string {
  return `/machines/${encodeURIComponent(id)}`;
}

/** `path` with `query`, without a lonely question mark. Commas and colons stay readable. */
export function withQuery(path: string, query: URLSearchParams): string {
  const text = query.toString().replaceAll('%3A', ':').replaceAll('%2C', ',');
  return text ? `${path}?${text}` : path;
}

export function logsOf(machine: string): string {
  return withQuery(LOGS, new URLSearchParams({ machine }));
}

/** The alert, open in its list. */
export function alertPath(id: number): string {
  return withQuery(ALERTS, new URLSearchParams({ alert: `${id}` }));
}
