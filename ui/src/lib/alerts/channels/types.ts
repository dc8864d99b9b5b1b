// The channels by which people are told, as the API shows them: without their secrets.

export type ChannelKind = 'email' | 'sms' | 'voice' | 'webhook';

/** Its settings by name; which there are depends on the kind (`fields.ts`). */
export type ChannelConfig = { kind: ChannelKind } & Record<string, unknown>;

/** A subject and a body of the user's own; what is null is ours. */
export interface Template {
  subject: string | null;
  body: string | null;
}

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
  /** Null: ours. */
  template: Template | null;
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
  template?: Template | null;
}

/** What is tried: a channel as it is kept, or as it stands in the form. */
export interface ChannelTrial {
  channel: string | ChannelConfig;
  /** The channel whose secrets are used where the form leaves them out. */
  id?: string;
  to: string;
  template?: Template | null;
}

/** How a message looks by a channel. */
export interface MessagePreview {
  subject: string;
  text: string;
  html: string | null;
  segments: number | null;
  chars: number;
}

export interface ChannelTest {
  ok: boolean;
  message: string;
  /** The key that a server showed and that was not believed. */
  fingerprint?: string | null;
}
