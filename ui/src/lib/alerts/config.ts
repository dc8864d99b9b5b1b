// The configuration of alerts as one document. The shapes are those of crates/alerts/src/config.
import type { Level } from '../api/types';
import type { Channel } from './channels/types';
import type { Maintenance, Severity } from './types';

/** Which entries are meant: all that is set must be true of an entry. */
export interface Filter {
  level?: Level;
  components?: string[];
  text?: string;
  pattern?: string;
  template?: string;
  context?: Record<string, string>;
}

/** Which machines are meant: any that is named, tagged or placed so; nothing set means all. */
export interface Scope {
  machines?: string[];
  tags?: string[];
  sites?: string[];
}

export type Way = 'any' | 'wifi' | 'cell';
export type SplitBy = 'machine' | 'component' | 'template';

export type Condition =
  | { kind: 'entries'; filter: Filter; count?: number; within_s?: number; split_by?: SplitBy }
  | { kind: 'stays'; begins: Filter; ends: Filter }
  | { kind: 'silence'; path?: Way; wifi_s: number; cell_s?: number }
  | {
      kind: 'value';
      filter: Filter;
      field: string;
      side?: 'below' | 'above';
      limit: number;
      of?: string;
      limits?: Record<string, number>;
    }
  | { kind: 'flapping'; path?: Way; changes: number; within_s: number }
  | { kind: 'gap'; missing?: number }
  | { kind: 'budget'; share: number }
  | { kind: 'none'; filter: Filter; open_hours: number };
export type ConditionKind = Condition['kind'];

export type Deliver =
  { how: 'at_once' } | { how: 'within'; s: number } | { how: 'hourly' } | { how: 'daily' };

export interface Tell {
  /** `person:<id>`, `group:<id>` or `owner`. */
  who: string;
  by: string[];
}

export interface Escalation {
  after_s: number;
  tell: Tell[];
}

export interface Rule {
  id: string;
  name: string;
  enabled: boolean;
  severity: Severity;
  when: Condition;
  scope: Scope;
  for_s: number;
  deliver: Deliver;
  tell: Tell[];
  escalate?: Escalation[];
  repeat_s: number;
  cooldown_s: number;
  clear_s: number;
  until_acknowledged: boolean;
  tell_end: boolean;
}

export interface Address {
  channel: string;
  to: string;
}

export interface Person {
  id: string;
  name: string;
  addresses: Address[];
  /** "Mo-Fr 22:00-06:00; Sa-Su"; null is never. */
  quiet: string | null;
  /** IANA name; empty is UTC. */
  timezone: string;
}

export interface Group {
  id: string;
  name: string;
  people: string[];
}

/** What is kept and exchanged as one document. */
export interface AlertDocument {
  rules: Rule[];
  people: Person[];
  groups: Group[];
  maintenance: Maintenance[];
  group_at: number;
  group_within_s: number;
  /** Minutes after midnight, in the reader's time zone. */
  daily_digest_minute: number;
}

/** What the pages know: the document, and by what people can be told. */
export interface AlertConfig extends AlertDocument {
  channels: Channel[];
}

/** What a rule would have done, had there been it. */
export interface Trial {
  fired: number;
  entries: number;
  machines: { machine_id: string; fired: number }[];
  shown: { machine_id: string; since: string; facts: string }[];
  from: string;
  /** Why this kind cannot be tried; null when it was. */
  cannot: string | null;
}

/** Something that the server found wrong, and where. */
export interface Wrong {
  place: string;
  words: string;
}
