// What the pages ask of alerts, typed. Knows nothing of pages.
import type { Request } from '../api/transport';
import { withQuery } from '../route/paths';
import type {
  Channel,
  ChannelChange,
  ChannelConfig,
  ChannelTest,
  ChannelTrial,
  MessagePreview,
  Template,
} from './channels/types';
import type { AlertConfig, AlertDocument, Rule, Trial } from './config';
import type { Alert, AlertPage, DeliveryPage, Maintenance, WholeAlert } from './types';
import type { OutsideWatch, WatchChange } from './watch/types';

export type Ask = <T>(request: Request) => Promise<T>;

/** How far back a rule is tried. */
export const TRIED_DAYS = 30;

export class AlertsClient {
  constructor(readonly ask: Ask) {}

  list(query: Record<string, string>): Promise<AlertPage> {
    return this.#get(withQuery('/api/alerts', new URLSearchParams(query)));
  }

  whole(id: number): Promise<WholeAlert> {
    return this.#get(`/api/alerts/${id}`);
  }

  acknowledge(id: number, note: string): Promise<Alert> {
    return this.#post(`/api/alerts/${id}/acknowledge`, note ? { note } : {});
  }

  unacknowledge(id: number): Promise<Alert> {
    return this.#post(`/api/alerts/${id}/unacknowledge`, {});
  }

  /** Nobody is told until then; null ends it. */
  silence(id: number, until: Date | null): Promise<Alert> {
    const body = until ? { until: until.toISOString() } : { for_s: 0 };
    return this.#post(`/api/alerts/${id}/silence`, body);
  }

  note(id: number, note: string): Promise<Alert> {
    return this.#post(`/api/alerts/${id}/note`, { note });
  }

  resolve(id: number, note: string, visit: boolean): Promise<Alert> {
    const body = { ...(note ? { note } : {}), ...(visit ? { visit } : {}) };
    return this.#post(`/api/alerts/${id}/resolve`, body);
  }

  /** The document, and the channels beside it: those have accounts, and are changed one by one. */
  async config(): Promise<AlertConfig> {
    const [document, { channels }] = await Promise.all([
      this.#get<AlertDocument>('/api/alerts/config'),
      this.#get<{ channels: Channel[] }>('/api/alerts/channels'),
    ]);
    return { ...document, channels };
  }

  /** Parts that are left out stay as they are. */
  configure(document: Partial<AlertDocument>): Promise<AlertDocument> {
    return this.#post('/api/alerts/configure', document);
  }

  addRule(rule: Rule): Promise<Rule> {
    return this.#post('/api/alerts/rules', rule);
  }

  changeRule(rule: Rule): Promise<Rule> {
    return this.ask({ method: 'PUT', path: rulePath(rule.id), body: rule });
  }

  /** Answers what was deleted, so that it can be brought back. */
  deleteRule(id: string): Promise<Rule> {
    return this.ask({ method: 'DELETE', path: rulePath(id) });
  }

  /** What the rule would have done. Changes nothing. */
  tryRule(rule: Rule, signal: AbortSignal): Promise<Trial> {
    const body = { rule, days: TRIED_DAYS };
    return this.ask({ method: 'POST', path: '/api/alerts/rules/try', body, signal });
  }

  addChannel(channel: ChannelChange): Promise<Channel> {
    return this.#post('/api/alerts/channels', channel);
  }

  changeChannel(channel: ChannelChange): Promise<Channel> {
    return this.ask({ method: 'PUT', path: channelPath(channel.id), body: channel });
  }

  deleteChannel(id: string): Promise<Channel> {
    return this.ask({ method: 'DELETE', path: channelPath(id) });
  }

  /** Sends a real message. */
  testChannel(body: ChannelTrial, signal: AbortSignal): Promise<ChannelTest> {
    return this.ask({ method: 'POST', path: '/api/alerts/channels/test', body, signal });
  }

  /** How a message looks. Sends nothing. */
  previewChannel(channel: ChannelConfig, template: Template | null): Promise<MessagePreview> {
    return this.#post('/api/alerts/channels/preview', { channel, template });
  }

  /** The outside watch of Vendlog itself. */
  watch(): Promise<OutsideWatch> {
    return this.#get('/api/alerts/watch');
  }

  changeWatch(change: WatchChange): Promise<OutsideWatch> {
    return this.ask({ method: 'PUT', path: '/api/alerts/watch', body: change });
  }

  deliveries(before: number | null): Promise<DeliveryPage> {
    const query = new URLSearchParams({ limit: '100' });
    if (before !== null) query.set('before', `${before}`);
    return this.#get(`/api/alerts/deliveries?${query}`);
  }

  beginMaintenance(machines: string[], seconds: number, note: string): Promise<Maintenance> {
    const body = { machines, for_s: seconds, ...(note ? { note } : {}) };
    return this.#post('/api/maintenance', body);
  }

  async endMaintenance(id: string): Promise<void> {
    await this.ask({ method: 'DELETE', path: `/api/maintenance/${encodeURIComponent(id)}` });
  }

  #get<T>(path: string): Promise<T> {
    return this.ask({ method: 'GET', path });
  }

  #post<T>(path: string, body: unknown): Promise<T> {
    return this.ask({ method: 'POST', path, body });
  }
}

function rulePath(id: string): string {
  return `/api/alerts/rules/${encodeURIComponent(id)}`;
}

function channelPath(id: string): string {
  return `/api/alerts/channels/${encodeURIComponent(id)}`;
}
