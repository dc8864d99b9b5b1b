// Entries in order, each once: what pages and live arrivals are put together with.
import type { LogEntry } from '../api/types';

/** The server's order: filing time, then the sender's numbering. Equal ones keep their places. */
export function compareEntries(a: LogEntry, b: LogEntry): number {
  if (a.filed_at !== b.filed_at) return a.filed_at < b.filed_at ? -1 : 1;
  if (a.epoch !== b.epoch && a.epoch !== null && b.epoch !== null) return a.epoch - b.epoch;
  if (a.epoch === b.epoch && a.seq !== null && b.seq !== null) return a.seq - b.seq;
  return 0;
}

/** Both in order, oldest first, without repeats by id. Answers `held` itself when nothing is new. */
export function mergeEntries(held: LogEntry[], came: LogEntry[]): LogEntry[] {
  const known = new Set(held.map(({ id }) => id));
  const fresh: LogEntry[] = [];
  for (const entry of came) {
    if (known.has(entry.id)) continue;
    known.add(entry.id);
    fresh.push(entry);
  }
  return fresh.length === 0 ? held : [...held, ...fresh].sort(compareEntries);
}
