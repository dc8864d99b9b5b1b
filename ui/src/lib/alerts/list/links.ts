// From an alert to the log: the entry that set it off, and what was written around that time.
import { DAY } from '../../format/time';
import { LOGS, withQuery } from '../../route/paths';
import type { Alert } from '../types';

/** How much of the log before and after is shown. */
const AROUND_MS = 15 * 60_000;

/** The lines of its machines from before it began until after its last sign. */
export function logAround(alert: Alert): string {
  return withQuery(LOGS, around(alert));
}

/** The same with the entry open. */
export function entryOf(alert: Alert): string {
  const query = around(alert);
  if (alert.log_id) query.set('entry', alert.log_id);
  return withQuery(LOGS, query);
}

function around({ machines, since, last_at: last }: Alert): URLSearchParams {
  const query = new URLSearchParams(machines.map(({ id }) => ['machine', id]));
  const begin = Date.parse(since);
  // One that lasts for weeks is understood from how it began.
  const end = Math.min(Math.max(begin, Date.parse(last)), begin + DAY);
  query.set('from', new Date(begin - AROUND_MS).toISOString());
  query.set('to', new Date(end + AROUND_MS).toISOString());
  return query;
}
