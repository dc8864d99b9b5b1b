// The part of the server in memory that knows alerts, their configuration and maintenance.
import type { Channel } from '../src/lib/alerts/channels/types';
import type { AlertConfig, Rule, Trial, Wrong } from '../src/lib/alerts/config';
import type { Alert, Delivery, Happening, Phase, Span } from '../src/lib/alerts/types';
import type { OutsideWatch, WatchChange } from '../src/lib/alerts/watch/types';
import type { Answer, Request } from '../src/lib/api/transport';
import { aChannel, aConfig } from './alerting';
import { NOW } from './server';

interface Asked {
  machines: string[];
  for_s: number;
  note?: string;
}

export class AlertServer {
  alerts: Alert[] = [];
  away: Span[] = [];
  history: Happening[] = [];
  deliveries: Delivery[] = [];
  config: AlertConfig = aConfig();
  /** What a rule that is tried would have done; null: no answer, ever. */
  trial: Trial | null = {
    fired: 4,
    entries: 5120,
    machines: [{ machine_id: 'VM003', fired: 4 }],
    shown: [{ machine_id: 'VM003', since: new Date(NOW - 86_400_000).toISOString(), facts: '5' }],
    from: new Date(NOW - 30 * 86_400_000).toISOString(),
    cannot: null,
  };
  /** What is wrong with the next document, if anything. */
  wrong: Wrong[] = [];
  tested = { ok: true, message: 'The mail was taken by mail.example.com.' };
  preview = { subject: 'CRITICAL Down', text: 'Lobby', html: null, segments: null, chars: 5 };
  watch: OutsideWatch = {
    dead_man_url: null,
    dead_man_status: { state: 'off', pinged_at: null, message: null },
    inhibit_sleep: false,
  };
  /** What was sent, as it came. */
  sent: { method: string; path: string; body: unknown }[] = [];

  /** The answer, or null when the request is somebody else's. */
  async answer({ method, path, body }: Request): Promise<Answer | null> {
    const { pathname, searchParams: query } = new URL(path, 'http://memory');
    const [, area, what, id] = pathname.split('/').slice(1).map(decodeURIComponent);
    if (area !== 'alerts' && area !== 'maintenance') return null;
    if (method !== 'GET') this.sent.push({ method, path, body });
    if (area === 'maintenance') return this.#maintenance(method, what ?? '', body);
    if (!what) return json(200, this.#page(query));
    if (what === 'config') return json(200, { ...this.config, channels: undefined });
    if (what === 'channels' && method === 'GET') {
      return json(200, { channels: this.config.channels });
    }
    if (what === 'watch') return json(200, this.#watched(body as WatchChange | undefined));
    if (what === 'deliveries') return json(200, { deliveries: this.deliveries, next: null });
    if (what === 'configure' || what === 'rules' || (what === 'channels' && method === 'PUT')) {
      if (this.wrong.length > 0 && id !== 'try') {
        const message = 'The configuration has faults.';
        return json(422, { code: 'bad_alerts', message, wrong: this.wrong });
      }
    }
    if (what === 'configure') {
      if (Object.hasOwn(body as object, 'channels')) {
        const wrong = [{ place: 'channels', words: 'there is no such part' }];
        return json(422, { code: 'bad_alerts', message: 'No.', wrong });
      }
      this.config = { ...this.config, ...(body as Partial<AlertConfig>) };
      return json(200, this.config);
    }
    if (what === 'rules') return this.#rule(method, id ?? '', body as Rule);
    if (what === 'channels') return this.#channel(method, id ?? '', body as Channel);
    return this.#one(method, Number(what), id ?? '', body as Record<string, unknown>);
  }

  #watched(change: WatchChange | undefined): OutsideWatch {
    if (change?.dead_man_url) {
      const dead_man_status = { state: 'never' as const, pinged_at: null, message: null };
      this.watch = { ...this.watch, dead_man_url: 'https://hc-ping.com/***', dead_man_status };
    }
    return this.watch;
  }

  #page(query: URLSearchParams): unknown {
    const asked = query.get('phase') ?? 'open';
    const open: Phase[] = ['waiting', 'firing', 'acknowledged'];
    const phases = asked === 'open' ? open : [asked as Phase];
    const many = (phase: Phase) => this.alerts.filter((alert) => alert.phase === phase).length;
    return {
      alerts: this.alerts.filter(({ phase }) => phases.includes(phase)),
      next: null,
      counts: {
        waiting: many('waiting'),
        firing: many('firing'),
        acknowledged: many('acknowledged'),
      },
      watcher_away: this.away,
    };
  }

  #one(method: string, id: number, act: string, body: Record<string, unknown>): Answer {
    const alert = this.alerts.find((one) => one.id === id);
    if (!alert) return json(404, { code: 'no_such_alert', message: `There is no alert ${id}.` });
    if (method === 'GET') {
      const members = this.alerts.filter(({ group }) => group === id);
      const { history, deliveries } = this;
      return json(200, { alert, history, deliveries, members });
    }
    if (alert.phase === 'resolved') return json(409, { code: 'alert_over', message: 'Over.' });
    this.#replace(changed(alert, act, body));
    return json(
      200,
      this.alerts.find((one) => one.id === id),
    );
  }

  #replace(alert: Alert): void {
    this.alerts = this.alerts.map((one) => (one.id === alert.id ? alert : one));
  }

  async #rule(method: string, id: string, rule: Rule): Promise<Answer> {
    if (id === 'try') {
      if (!this.trial) await new Promise(() => {});
      return json(200, this.trial);
    }
    const { rules } = this.config;
    const before = rules.find((one) => one.id === id);
    const rest = rules.filter((one) => one.id !== (id || rule.id));
    if (method === 'DELETE') {
      this.config = { ...this.config, rules: rest };
      return json(200, before);
    }
    const next = before ? rules.map((one) => (one === before ? rule : one)) : [...rest, rule];
    this.config = { ...this.config, rules: next };
    return json(before ? 200 : 201, rule);
  }

  #channel(method: string, id: string, body: Channel): Answer {
    if (id === 'test') return json(200, this.tested);
    if (id === 'preview') return json(200, this.preview);
    const { channels } = this.config;
    const before = channels.find((one) => one.id === (id || body.id));
    const rest = channels.filter((one) => one !== before);
    if (method === 'DELETE') {
      this.config = { ...this.config, channels: rest };
      return json(200, before);
    }
    const made = aChannel(body.id, { ...before, ...body, kind: body.config.kind });
    this.config = { ...this.config, channels: [...rest, made] };
    return json(before ? 200 : 201, made);
  }

  #maintenance(method: string, id: string, body: unknown): Answer {
    const { maintenance } = this.config;
    if (method === 'DELETE') {
      const rest = maintenance.filter((one) => one.id !== id);
      this.config = { ...this.config, maintenance: rest };
      return { status: 204, body: '' };
    }
    const { machines, for_s: seconds, note = '' } = body as Asked;
    const made = {
      id: `m${maintenance.length + 1}`,
      machines,
      from: new Date(NOW - 60_000).toISOString(),
      until: new Date(NOW + seconds * 1000).toISOString(),
      by: 'You',
      note,
    };
    this.config = { ...this.config, maintenance: [...maintenance, made] };
    return json(201, made);
  }
}

function changed(alert: Alert, act: string, body: Record<string, unknown>): Alert {
  const note = (body['note'] as string | undefined) ?? null;
  const at = new Date(NOW).toISOString();
  if (act === 'acknowledge') {
    const acknowledged = { acknowledged_at: at, acknowledged_by: 'You', acknowledged_note: note };
    return { ...alert, phase: 'acknowledged', ...acknowledged };
  }
  if (act === 'unacknowledge') {
    return { ...alert, phase: 'firing', acknowledged_at: null, acknowledged_by: null };
  }
  if (act === 'silence') {
    return { ...alert, silenced_until: (body['until'] as string | undefined) ?? null };
  }
  if (act !== 'resolve') return alert;
  const by = body['visit'] ? 'visit' : 'hand';
  const resolved = { resolved_at: at, resolved_by: by, resolved_who: 'You', resolved_note: note };
  return { ...alert, phase: 'resolved', ...resolved } as Alert;
}

function json(status: number, body: unknown): Answer {
  return { status, body: JSON.stringify(body) };
}
