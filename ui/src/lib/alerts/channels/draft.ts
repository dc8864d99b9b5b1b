// A channel while it is being edited: every field as the text that stands in the form. Pure.
import { type Field, isSecret, KEPT, text } from '../../ui/field';
import { FIELDS } from './fields';
import { NESTED } from './twilio-fields';
import type { Channel, ChannelChange, ChannelConfig, ChannelKind, Template } from './types';

export interface Draft {
  kind: ChannelKind;
  /** How rules and people name it; it is chosen once. */
  id: string;
  isNew: boolean;
  enabled: boolean;
  values: Record<string, string>;
  /** Messages in 24 hours at most; empty is no limit. */
  limit: string;
  template: { subject: string; body: string };
  /** As the server has it; null for a new one. Secrets stay while the account is the same. */
  before: ChannelConfig | null;
}

/** What a day of messages that cost money may be, unless somebody says otherwise. */
const PAID_PER_DAY = '50';
const LIMIT_MOST = 100_000;

export function newDraft(kind: ChannelKind, taken: string[]): Draft {
  const values = Object.fromEntries(FIELDS[kind].map(({ key, first = '' }) => [key, first]));
  let id: string = kind;
  for (let n = 2; taken.includes(id); n += 1) id = `${kind}-${n}`;
  const limit = kind === 'sms' || kind === 'voice' ? PAID_PER_DAY : '';
  const template = { subject: '', body: '' };
  return { kind, id, isNew: true, enabled: true, values, limit, template, before: null };
}

export function draftOf({ id, kind, enabled, config, limit_per_day, template }: Channel): Draft {
  const values = Object.fromEntries(
    FIELDS[kind].map(({ key, input }) => [key, isSecret(input) ? '' : text(at(config, key))]),
  );
  const limit = text(limit_per_day);
  const words = { subject: template?.subject ?? '', body: template?.body ?? '' };
  return { kind, id, isNew: false, enabled, values, limit, template: words, before: config };
}

/** The fields that the form shows now: some only matter when another says so. */
export function shown({ kind, values }: Draft): Field[] {
  return FIELDS[kind].filter(({ when }) => !when || when.is.includes(values[when.key] ?? ''));
}

/** True when the server has this secret and goes on using it: for the account it was given for. */
export function isKept({ kind, values, before }: Draft, { key, input }: Field): boolean {
  if (!before || !isSecret(input) || at(before, key) !== KEPT) return false;
  const account = FIELDS[kind].filter((field) => field.account);
  return account.every((field) => (values[field.key] ?? '').trim() === text(at(before, field.key)));
}

/** Every fault by its field's key, in words. */
export function faults(draft: Draft, taken: string[]): Map<string, string> {
  const found = new Map<string, string>();
  if (!/^[a-z0-9_-]{1,40}$/.test(draft.id)) {
    found.set('id', '1 to 40 small letters, digits, - and _: rules and people name it by this.');
  } else if (draft.isNew && taken.includes(draft.id)) {
    found.set('id', 'There is a channel of this name.');
  }
  if (draft.limit.trim() && !isNumber(draft.limit, [0, LIMIT_MOST])) {
    found.set('limit', `A whole number from 0 to ${LIMIT_MOST}, or nothing for no limit.`);
  }
  for (const field of shown(draft)) {
    const fault = faultOf(draft, field);
    if (fault) found.set(field.key, fault);
  }
  return found;
}

function faultOf(draft: Draft, field: Field): string | undefined {
  const { key, input, label, required, range } = field;
  const value = (draft.values[key] ?? '').trim();
  if (required && !value && !isKept(draft, field)) {
    const again = draft.before && at(draft.before, key) === KEPT;
    return `${label} is needed${again ? ' again: it was given for another account' : ''}.`;
  }
  if (input !== 'number' || !value) return undefined;
  const [least, most] = range ?? [0, Infinity];
  return isNumber(value, [least, most]) ? undefined : `A whole number from ${least} to ${most}.`;
}

function isNumber(value: string, [least, most]: [number, number]): boolean {
  const number = Number(value);
  return Number.isInteger(number) && number >= least && number <= most;
}

/** What is sent. Secrets that were not typed are left out: the server keeps those it has. */
export function toChange(draft: Draft): ChannelChange {
  const { id, enabled, limit } = draft;
  const limit_per_day = limit.trim() ? Number(limit) : null;
  return { id, enabled, config: configOf(draft), limit_per_day, template: templateOf(draft) };
}

export function templateOf({ template: { subject, body } }: Draft): Template | null {
  if (!subject.trim() && !body.trim()) return null;
  return { subject: subject.trim() || null, body: body.trim() || null };
}

export function configOf(draft: Draft): ChannelConfig {
  const config: ChannelConfig = { kind: draft.kind };
  const account: Record<string, unknown> = {};
  for (const { key, input } of shown(draft)) {
    const value = (draft.values[key] ?? '').trim();
    const said = input === 'check' ? value === 'true' : input === 'number' ? Number(value) : value;
    if (!value && input !== 'check') continue;
    if (key.startsWith(NESTED)) account[key.slice(NESTED.length)] = said;
    else config[key] = said;
  }
  if (Object.keys(account).length > 0) config['account'] = account;
  return config;
}

function at(config: ChannelConfig, key: string): unknown {
  if (!key.startsWith(NESTED)) return config[key];
  return (config['account'] as Record<string, unknown> | undefined)?.[key.slice(NESTED.length)];
}
