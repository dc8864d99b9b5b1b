// A rule while it is being edited, and what a new one of each kind begins with. Pure.
import type { Condition, ConditionKind, Filter, Rule } from '../config';

const MINUTE = 60;
const HOUR = 60 * MINUTE;
const DAY = 24 * HOUR;

export const KINDS: { kind: ConditionKind; words: string; first: Condition }[] = [
  {
    kind: 'entries',
    words: 'entries come',
    first: {
      kind: 'entries',
      filter: { level: 'ERROR' },
      count: 5,
      within_s: 10 * MINUTE,
      split_by: 'machine',
    },
  },
  {
    kind: 'stays',
    words: 'something began and did not end',
    first: { kind: 'stays', begins: { level: 'ERROR', components: ['reader'] }, ends: {} },
  },
  {
    kind: 'silence',
    words: 'nothing is heard',
    first: { kind: 'silence', path: 'any', wifi_s: 30 * MINUTE },
  },
  {
    kind: 'value',
    words: 'a number is beyond a limit',
    first: {
      kind: 'value',
      filter: { context: { event: 'inventory' } },
      field: 'remaining',
      side: 'below',
      limit: 20,
      of: 'product',
    },
  },
  {
    kind: 'none',
    words: 'something is missing in opening hours',
    first: { kind: 'none', filter: { context: { event: 'sale' } }, open_hours: 8 },
  },
  {
    kind: 'flapping',
    words: 'a link comes and goes',
    first: { kind: 'flapping', path: 'any', changes: 4, within_s: DAY },
  },
  { kind: 'gap', words: 'numbers are missing', first: { kind: 'gap', missing: 1 } },
  { kind: 'budget', words: 'the data plan runs out', first: { kind: 'budget', share: 0.8 } },
];

export function conditionOf(kind: ConditionKind): Condition {
  const found = KINDS.find((one) => one.kind === kind) ?? KINDS[0];
  return copyOf(found?.first as Condition);
}

/** A copy that can be changed while the other one stays. */
export function copyOf<T>(value: T): T {
  return JSON.parse(JSON.stringify(value)) as T;
}

export function newRule(): Rule {
  return {
    id: '',
    name: '',
    enabled: true,
    severity: 'warning',
    when: conditionOf('entries'),
    scope: {},
    for_s: 0,
    deliver: { how: 'at_once' },
    tell: [],
    escalate: [],
    repeat_s: 0,
    cooldown_s: 0,
    clear_s: HOUR,
    until_acknowledged: false,
    tell_end: false,
  };
}

/** The same under another name, to be changed and added. */
export function another(rule: Rule): Rule {
  return { ...copyOf(rule), id: '', name: `${rule.name} (copy)` };
}

/** What can be sent at all: the rest is the server's to judge. */
export function faultOf(rule: Rule): string {
  if (!rule.name.trim()) return 'A name is needed: it is the issue in every message.';
  const empty = rule.tell.find(({ by }) => by.length === 0);
  if (empty) return 'Choose by which channel each of them is told.';
  return '';
}

/** "payment, reader" as a list. */
export function listOf(text: string): string[] {
  return text
    .split(',')
    .map((part) => part.trim())
    .filter(Boolean);
}

/** "event = sale, product = hand" as pairs; what has no sign is left out. */
export function pairsOf(text: string): Record<string, string> {
  const pairs = listOf(text).map((part) => part.split('=').map((side) => side.trim()));
  return Object.fromEntries(pairs.filter(([name, value]) => name && value));
}

export function pairsText(pairs: Record<string, string | number> | undefined): string {
  return Object.entries(pairs ?? {})
    .map(([name, value]) => `${name} = ${value}`)
    .join(', ');
}

/** The filter with this part, or without it when nothing is in it. */
export function withPart(filter: Filter, part: keyof Filter, value: unknown): Filter {
  const rest = Object.entries(filter).filter(([name]) => name !== part);
  const isEmpty =
    value === '' || (typeof value === 'object' && Object.keys(value ?? {}).length === 0);
  return Object.fromEntries(isEmpty ? rest : [...rest, [part, value]]) as Filter;
}
