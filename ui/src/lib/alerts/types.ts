// Alerts as they travel over the API.
import type { ChannelKind } from './channels/types';

export type Severity = 'info' | 'warning' | 'critical';
export type Phase = 'waiting' | 'firing' | 'acknowledged' | 'resolved';
export const SEVERITIES: readonly Severity[] = ['critical', 'warning', 'info'];
export const PHASES: readonly Phase[] = ['firing', 'acknowledged', 'waiting', 'resolved'];

export interface AlertMachine {
  id: string;
  name: string;
  site: string;
}

export interface Alert {
  id: number;
  /** Null when it is of many machines. */
  machine_id: string | null;
  machines: AlertMachine[];
  /** The entry that set it off, where there is one. */
  log_id: string | null;
  /** The issue: the rule's name. */
  alert_type: string;
  rule_id: string;
  severity: Severity;
  phase: Phase;
  kind: 'machine' | 'group' | 'path';
  path: 'wifi' | 'cell' | null;
  part: string;
  since: string;
  raised_at: string;
  fired_at: string | null;
  last_at: string;
  count: number;
  facts: string;
  is_late: boolean;
  sent_at: string | null;
  acknowledged_at: string | null;
  acknowledged_by: string | null;
  acknowledged_note: string | null;
  silenced_until: string | null;
  resolved_at: string | null;
  resolved_by: 'itself' | 'hand' | 'visit' | 'configuration' | null;
  resolved_who: string | null;
  resolved_note: string | null;
  /** The alert of many that stands for it. */
  group: number | null;
  in_maintenance: boolean;
  next_message_at: string | null;
  told: number;
}

export interface Span {
  from: string;
  to: string;
}

export interface AlertPage {
  alerts: Alert[];
  /** What `before` is for the next page. */
  next: number | null;
  counts: { waiting: number; firing: number; acknowledged: number };
  watcher_away: Span[];
}

export interface Happening {
  at: string;
  what: 'began' | 'fired' | 'grouped' | 'acknowledged' | 'silenced' | 'noted' | 'told' | 'resolved';
  who: string;
  note: string;
}

export interface Delivery {
  id: number;
  alert_id: number | null;
  why: string;
  person: string;
  channel: string;
  to: string;
  state: 'waiting' | 'calling' | 'sent' | 'failed' | 'held';
  created_at: string;
  next_at: string | null;
  sent_at: string | null;
  tries: number;
  error: string | null;
  price_micros: number | null;
  issue: string;
  machines: string[];
  facts: string;
}

export interface DeliveryPage {
  deliveries: Delivery[];
  next: number | null;
}

export interface WholeAlert {
  alert: Alert;
  history: Happening[];
  deliveries: Delivery[];
  members: Alert[];
}

/** What the live stream says when an alert changes. */
export interface AlertEvent {
  alert_id: number;
  phase: Phase;
  severity: Severity;
  machine_id: string | null;
  alert_type: string;
}

export interface Maintenance {
  id: string;
  /** None means all of them. */
  machines: string[];
  from: string;
  until: string;
  by: string;
  note: string;
}

export type { ChannelKind };
