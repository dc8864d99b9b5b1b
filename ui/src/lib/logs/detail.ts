// What the open entry says about itself besides its message: pure.
import type { LogEntry } from '../api/types';
import { count } from '../format/number';
import { upperFirst } from '../format/text';
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
const SHORTENED = 'Shortened for the drop; the whole entry comes by WiFi';

/** A line without a number came in a drop that our agent did not make: no full one may follow. */
const FOREIGN = 'As it stood in a drop of bare lines; there may have been more to it';

/** What the list says of a line that is not whole; undefined where it is, or nobody knows. */
export function shortened({ fidelity, seq }: LogEntry): string | undefined {
  return fidelity === 'summary' && seq !== null ? SHORTENED : undefined;
}

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
    facts.push({ name: 'Completeness', value: shortened(entry) ?? FOREIGN });
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
