// The channels by which people are told, as the API shows them: without their secrets.

export type ChannelKind = 'email' | 'sms' | 'voice' | 'webhook';

/** Its settings by name; which there are depends on the kind (fields.ts). */
export type ChannelConfig = { kind: ChannelKind } & Record<string, unknown>;

export interface Channel {
  id: string;
  kind: ChannelKind;
  enabled: boolean;
  config: ChannelConfig;
  has_secret: boolean;
  status: {
    state: 'never' | 'ok' | 'failing';
    last_sent_at: string | null;
    error: { code: string; message: string } | null;
  };
  limit_per_day: number | null;
  sent_today: number;
  /** Millionths of the account's currency. */
  spent_today_micros: number | null;
}

export interface ChannelChange {
  id: string;
  enabled: boolean;
  config: ChannelConfig;
  limit_per_day: number | null;
}

export interface ChannelTest {
  ok: boolean;
  message: string;
}
