// A source while it is being edited: every field as the text that stands in the form. Pure.
import { type Field, isSecret, KEPT, text } from '../ui/field';
import { FIELDS } from './fields';
import type { FormKind, Source, SourceChange, SourceConfig } from './types';

export interface Draft {
  /** Null until it was saved once. */
  id: string | null;
  kind: FormKind;
  name: string;
  enabled: boolean;
  values: Record<string, string>;
  /** As the server has it: what this form does not know of is sent back unchanged. */
  before: SourceConfig;
}

export function newDraft(kind: FormKind): Draft {
  const values = Object.fromEntries(FIELDS[kind].map(({ key, first = '' }) => [key, first]));
  return { id: null, kind, name: '', enabled: true, values, before: {} };
}

export function draftOf({ id, kind: told, name, enabled, config }: Source): Draft {
  const kind = told === 'ftps' ? 'ftp' : told;
  const before: SourceConfig = config;
  const values = Object.fromEntries(
    FIELDS[kind].map(({ key, input, first = '' }) => {
      const said = isSecret(input) ? '' : text(before[key]);
      return [key, said || (input === 'choice' ? first : '')];
    }),
  );
  return { id, kind, name, enabled, values, before };
}

/** The fields that the form shows now: some only matter when another says so. */
export function shown({ kind, values }: Draft): Field[] {
  return FIELDS[kind].filter(({ when }) => !when || when.is.includes(values[when.key] ?? ''));
}

/** True when the server has this secret and goes on using it: for the account it was given for. */
export function isKept({ kind, values, before }: Draft, { key, input }: Field): boolean {
  if (!isSecret(input) || before[key] !== KEPT) return false;
  const account = FIELDS[kind].filter((field) => field.account);
  return account.every((field) => (values[field.key] ?? '').trim() === text(before[field.key]));
}

/** Every fault by its field's key, in words; the name counts as a field. */
export function faults(draft: Draft): Map<string, string> {
  const found = new Map<string, string>();
  if (!draft.name.trim()) found.set('name', 'A name is needed: the list and errors use it.');
  for (const field of shown(draft)) {
    const fault = faultOf(draft, field);
    if (fault) found.set(field.key, fault);
  }
  return found;
}

function faultOf(draft: Draft, field: Field) {
  const { key, input, label, required, range } = field;
  const value = (draft.values[key] ?? '').trim();
  if (required && !value && !isKept(draft, field)) {
    const why = draft.before[key] === KEPT ? ' again: it was given for another server or user' : '';
    return `${label} is needed${why}.`;
  }
  if (key === 'host' && value && !/^[\p{L}\p{N}._:-]+$/u.test(value)) {
    return 'Only the name or address: no ftp:// or imap:// before it, no folder after it.';
  }
  if (key === 'pin' && value && !/^sha256\/[A-Za-z0-9+/]{43}=?$/.test(value)) {
    return 'sha256/ and 44 characters of base64, as the test shows it.';
  }
  if (field.least && value && value.length < field.least) {
    return `${field.least} characters or more.`;
  }
  if (input !== 'number' || !value) return undefined;
  const [least, most] = range ?? [0, Infinity];
  const number = Number(value);
  if (Number.isInteger(number) && number >= least && number <= most) return undefined;
  return `A whole number from ${least} to ${most}.`;
}

/** What is sent. Secrets that were not typed are left out: the server keeps those it has. */
export function toChange(draft: Draft): SourceChange {
  const config = unknownOf(draft);
  for (const { key, input } of shown(draft)) {
    const value = (draft.values[key] ?? '').trim();
    if (!value) continue;
    config[key] = input === 'number' ? Number(value) : input === 'check' ? value === 'true' : value;
  }
  const { kind, enabled } = draft;
  return { name: draft.name.trim(), kind, enabled, config };
}

/** The same source with nothing changed but whether it is on. */
export function turned({ name, kind, config }: Source, enabled: boolean): SourceChange {
  return { name, kind, enabled, config: sendable(config) };
}

function unknownOf({ kind, before }: Draft): SourceConfig {
  const known = new Set(FIELDS[kind].map(({ key }) => key));
  return Object.fromEntries(Object.entries(sendable(before)).filter(([key]) => !known.has(key)));
}

/** Without what is empty, and what stands for a secret: the server has it. */
function sendable(config: SourceConfig): SourceConfig {
  const sent = Object.entries(config).filter(
    ([key, value]) => key !== 'kind' && value !== KEPT && value !== null && value !== '',
  );
  return Object.fromEntries(sent);
}
