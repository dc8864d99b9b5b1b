// What the palette offers: pages, machines, ready filters. Pure.
import type { Machine } from '../api/types';
import { STATUS_WORD } from '../fleet/words';
import {
  ALERTS,
  CHANNELS,
  DELIVERIES,
  DICTIONARIES,
  DROPS,
  FLEET,
  LOGS,
  logsOf,
  machinePath,
  PEOPLE,
  QUARANTINE,
  RULES,
  SOURCES,
  withQuery,
} from '../route/paths';

export interface Command {
  id: string;
  words: string;
  hint: string;
  href: string;
}

const READY: Command[] = [
  { id: 'fleet', words: 'Fleet', hint: 'Page', href: FLEET },
  { id: 'logs', words: 'Logs', hint: 'Page', href: LOGS },
  { id: 'alerts', words: 'Alerts', hint: 'Page', href: ALERTS },
  { id: 'rules', words: 'Alert rules', hint: 'Page', href: RULES },
  { id: 'people', words: 'People who are told', hint: 'Page', href: PEOPLE },
  { id: 'channels', words: 'Channels', hint: 'Page', href: CHANNELS },
  { id: 'deliveries', words: 'Messages sent', hint: 'Page', href: DELIVERIES },
  { id: 'sources', words: 'Sources', hint: 'Page', href: SOURCES },
  { id: 'quarantine', words: 'Quarantine', hint: 'Page', href: QUARANTINE },
  { id: 'drops', words: 'Recent drops', hint: 'Page', href: DROPS },
  { id: 'dictionaries', words: 'Dictionaries', hint: 'Page', href: DICTIONARIES },
  ready('Errors and worse, last 24 hours', LOGS, { level: 'ERROR' }),
  ready('Errors and worse, last hour', LOGS, { level: 'ERROR', from: '-1h' }),
  ready('Critical, last 30 days', LOGS, { level: 'CRITICAL', from: '-30d' }),
  ready('Warnings and worse, last hour', LOGS, { level: 'WARN', from: '-1h' }),
  ready('Machines in trouble', FLEET, { status: 'red' }),
  ready('Machines by last contact', FLEET, { sort: 'contact' }),
  ready('Add a machine', FLEET, { add: '1' }),
  ready('Add a source', SOURCES, { new: '1' }),
];

/** At most so many are offered: more is a list, not a choice. */
const MOST = 16;

export function commands(typed: string, machines: Machine[]): Command[] {
  const words = typed.toLowerCase().split(/\s+/).filter(Boolean);
  const all = [...READY, ...machines.flatMap(ofMachine)];
  const found = all.filter(({ words: name, hint }) => {
    const text = `${name} ${hint}`.toLowerCase();
    return words.every((word) => text.includes(word));
  });
  if (words.length === 0) return found.slice(0, MOST);
  const first = words[0] ?? '';
  found.sort((a, b) => starts(b, first) - starts(a, first));
  return [...found.slice(0, MOST - 1), search(typed.trim())];
}

function ready(words: string, path: string, query: Record<string, string>): Command {
  return { id: words, words, hint: 'Filter', href: withQuery(path, new URLSearchParams(query)) };
}

function ofMachine({ machine_id, name, status }: Machine): Command[] {
  const words = name ? `${machine_id} ${name}` : machine_id;
  return [
    { id: machine_id, words, hint: STATUS_WORD[status], href: machinePath(machine_id) },
    { id: `logs ${machine_id}`, words: `Logs of ${words}`, hint: '', href: logsOf(machine_id) },
  ];
}

function search(typed: string): Command {
  const href = withQuery(LOGS, new URLSearchParams({ from: '-7d', q: typed }));
  return { id: 'search', words: `Search log lines for “${typed}”`, hint: 'Last 7 days', href };
}

function starts({ words }: Command, first: string): number {
  return words.toLowerCase().startsWith(first) ? 1 : 0;
}
