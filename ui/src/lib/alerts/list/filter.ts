// Which alerts are shown: read from the address, written to it, and put in the order of need.
import { plain } from '../../logs/escape';
import { type Alert, type Phase, PHASES, type Severity, SEVERITIES } from '../types';
import { whereOf } from '../words';

export interface AlertFilter {
  phase: Phase | null;
  machines: string[];
  severity: Severity | null;
  rule: string | null;
  q: string;
}

export interface Section {
  phase: Phase;
  alerts: Alert[];
}

export function readFilter(query: URLSearchParams): AlertFilter {
  return {
    phase: PHASES.find((phase) => phase === query.get('phase')) ?? null,
    machines: query.getAll('machine'),
    severity: SEVERITIES.find((severity) => severity === query.get('severity')) ?? null,
    rule: query.get('rule'),
    q: query.get('q') ?? '',
  };
}

export function writeFilter(filter: AlertFilter): URLSearchParams {
  const query = new URLSearchParams();
  if (filter.phase) query.set('phase', filter.phase);
  for (const machine of filter.machines) query.append('machine', machine);
  if (filter.severity) query.set('severity', filter.severity);
  if (filter.rule) query.set('rule', filter.rule);
  if (filter.q) query.set('q', filter.q);
  return query;
}

export function isNarrowed({ phase, machines, severity, rule, q }: AlertFilter): boolean {
  return phase !== null || machines.length > 0 || severity !== null || !!rule || q !== '';
}

/** By phase, and in each the gravest and newest first. Members stand inside the alert of many. */
export function sections(alerts: Alert[], filter: AlertFilter, open: number | null): Section[] {
  const ids = new Set(alerts.map(({ id }) => id));
  const own = alerts.filter(({ id, group }) => group === null || !ids.has(group) || id === open);
  const shown = own.filter((alert) => alert.id === open || matches(alert, filter));
  return PHASES.map((phase) => ({
    phase,
    alerts: shown.filter((alert) => alert.phase === phase).sort(byNeed),
  })).filter((section) => section.alerts.length > 0);
}

function matches(alert: Alert, filter: AlertFilter): boolean {
  const { phase, machines, severity, rule, q } = filter;
  if (phase && alert.phase !== phase) return false;
  if (severity && alert.severity !== severity) return false;
  if (rule && alert.rule_id !== rule) return false;
  if (machines.length > 0 && !alert.machines.some(({ id }) => machines.includes(id))) return false;
  const text = `${plain(alert.alert_type)} ${whereOf(alert)} ${plain(alert.facts)}`.toLowerCase();
  const terms = q.toLowerCase().split(/\s+/).filter(Boolean);
  return terms.every((term) => text.includes(term));
}

function byNeed(a: Alert, b: Alert): number {
  if (a.phase === 'resolved') return (b.resolved_at ?? '').localeCompare(a.resolved_at ?? '');
  const grave = SEVERITIES.indexOf(a.severity) - SEVERITIES.indexOf(b.severity);
  return grave || Date.parse(b.since) - Date.parse(a.since) || b.id - a.id;
}
