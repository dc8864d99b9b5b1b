// Alerts and their configuration as a server would answer them, for the tests.
import type { Channel } from '../src/lib/alerts/channels/types';
import type { AlertConfig, Person, Rule } from '../src/lib/alerts/config';
import type { Alert, Delivery, Happening } from '../src/lib/alerts/types';
import { NOW } from './server';

export const ago = (seconds: number) => new Date(NOW - seconds * 1000).toISOString();

export function anAlert(id: number, part: Partial<Alert> = {}): Alert {
  return {
    id,
    machine_id: 'VM003',
    machines: [{ id: 'VM003', name: 'Lobby west', site: 'Main Street' }],
    log_id: 'e1',
    alert_type: 'Payment System Down',
    rule_id: 'payment-down',
    severity: 'critical',
    phase: 'firing',
    kind: 'machine',
    path: null,
    part: '',
    since: ago(760),
    raised_at: ago(758),
    fired_at: ago(758),
    last_at: ago(30),
    count: 14,
    facts: '14 errors of payment in 5 min; the last: reader did not answer within 30 s',
    is_late: false,
    sent_at: ago(757),
    acknowledged_at: null,
    acknowledged_by: null,
    acknowledged_note: null,
    silenced_until: null,
    resolved_at: null,
    resolved_by: null,
    resolved_who: null,
    resolved_note: null,
    group: null,
    in_maintenance: false,
    next_message_at: null,
    told: 1,
    ...part,
  };
}

export function aRule(id: string, part: Partial<Rule> = {}): Rule {
  return {
    id,
    name: `Rule ${id}`,
    enabled: true,
    severity: 'critical',
    when: {
      kind: 'entries',
      filter: { level: 'ERROR', components: ['payment', 'reader'] },
      count: 10,
      within_s: 300,
    },
    scope: {},
    for_s: 0,
    deliver: { how: 'at_once' },
    tell: [{ who: 'group:ops', by: ['email'] }],
    repeat_s: 0,
    cooldown_s: 0,
    clear_s: 3600,
    until_acknowledged: false,
    tell_end: false,
    ...part,
  };
}

export function aPerson(id: string, part: Partial<Person> = {}): Person {
  const addresses = [{ channel: 'email', to: `${id}@example.com` }];
  return { id, name: id, addresses, quiet: null, timezone: 'UTC', ...part };
}

export function aChannel(id: string, part: Partial<Channel> = {}): Channel {
  return {
    id,
    kind: 'email',
    enabled: true,
    config: {
      kind: 'email',
      host: 'mail.example.com',
      tls: 'starttls',
      user: 'vend',
      password: '***',
      from: 'vendlog@example.com',
      from_name: 'Vendlog',
      timeout_s: 20,
    },
    has_secret: true,
    status: { state: 'ok', last_sent_at: ago(600), error: null },
    template: null,
    limit_per_day: null,
    sent_today: 3,
    spent_today_micros: null,
    ...part,
  };
}

export function aConfig(part: Partial<AlertConfig> = {}): AlertConfig {
  return {
    rules: [aRule('payment-down', { name: 'Payment System Down' })],
    people: [aPerson('ana', { name: 'Ana' })],
    groups: [{ id: 'ops', name: 'Operations', people: ['ana'] }],
    maintenance: [],
    group_at: 5,
    group_within_s: 180,
    daily_digest_minute: 480,
    channels: [aChannel('email')],
    ...part,
  };
}

export function aDelivery(id: number, part: Partial<Delivery> = {}): Delivery {
  return {
    id,
    alert_id: 1,
    why: 'first',
    person: 'ana',
    channel: 'email',
    to: 'ana@example.com',
    state: 'sent',
    created_at: ago(757),
    next_at: null,
    sent_at: ago(756),
    tries: 1,
    error: null,
    price_micros: null,
    issue: 'Payment System Down',
    machines: ['VM003'],
    facts: '14 errors of payment in 5 min',
    ...part,
  };
}

export function happened(what: Happening['what'], seconds: number, who = '', note = ''): Happening {
  return { at: ago(seconds), what, who, note };
}
