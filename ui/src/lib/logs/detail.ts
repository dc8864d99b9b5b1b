// What the open entry says about itself besides its message: pure.
import type { LogEntry } from '../api/types';
import { count } from '../format/number';
import { absolute, duration } from '../format/time';
import { LOGS, withQuery } from '../route/paths';

/** How much time around the entry its link opens. */
const LINK_AROUND_MS = 15 * 60_000;
/** An entry that took longer than this from machine to store is worth saying so. */
const LATE_MS = 60_000;

/** How an entry came, inside a sentence. */
export const PATHS: Record<LogEntry['path'], string> = {
  wifi: 'WiFi',
  cell: 'cellular',
  both: 'WiFi and cellular',
};

/** What `summary` means to a reader. */
export const SHORTENED = 'Shortened for the drop; the whole entry comes by WiFi';

export interface EntryFact {
  name: string;
  value: string;
  title?: string;
}

export function entryFacts(entry: LogEntry): EntryFact[] {
  const { timestamp, filed_at, received_at, epoch, seq } = entry;
  const facts: EntryFact[] = [{ name: 'Written', value: absolute(timestamp), title: timestamp }];
  if (filed_at !== timestamp) {
    facts.push({
      name: 'Filed at',
      value: `${absolute(filed_at)}: the machine's time is not credible`,
    });
  }
  const took = Date.parse(received_at) - Date.parse(timestamp);
  const late = took > LATE_MS && filed_at === timestamp ? `, ${duration(took)} later` : '';
  facts.push({ name: 'Received', value: `${absolute(received_at)}${late}`, title: received_at });
  facts.push({ name: 'Came by', value: upperFirst(PATHS[entry.path]) });
  if (entry.fidelity === 'summary') {
    facts.push({ name: 'Completeness', value: SHORTENED });
  }
  if (entry.clock !== 'synced') {
    const words =
      entry.clock === 'repaired' ? 'was set later, time corrected' : 'not set since boot';
    facts.push({ name: "Machine's clock", value: words });
  }
  if (seq !== null) {
    const value = epoch === null ? count(seq) : `${count(seq)} of spool ${epoch}`;
    facts.push({ name: 'Number', value });
  }
  return facts;
}

function upperFirst(text: string): string {
  return text.charAt(0).toUpperCase() + text.slice(1);
}

/** The address that shows this entry among its neighbours, whatever day it is opened. */
export function entryLink({ id, machine_id, filed_at }: LogEntry): string {
  const at = Date.parse(filed_at);
  const query = new URLSearchParams({
    machine: machine_id,
    from: new Date(at - LINK_AROUND_MS).toISOString(),
    to: new Date(at + LINK_AROUND_MS).toISOString(),
    entry: id,
  });
  return withQuery(LOGS, query);
}
