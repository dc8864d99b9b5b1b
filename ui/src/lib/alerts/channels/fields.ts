// The kinds of channels, and what must be known of each: the form is drawn from this. Pure.
import type { Field } from '../../ui/field';
import { EMAIL } from './email-fields';
import { SMS, VOICE } from './twilio-fields';
import { WEBHOOK } from './webhook-fields';
import type { ChannelKind } from './types';

export const KINDS: { kind: ChannelKind; words: string; about: string }[] = [
  { kind: 'email', words: 'E-mail', about: 'Your own mail server, over SMTP with TLS.' },
  { kind: 'sms', words: 'SMS', about: 'Twilio. Each costs money; a reply ACK 12 acknowledges.' },
  { kind: 'voice', words: 'Call', about: 'Twilio reads machine and issue aloud. Costs money.' },
  {
    kind: 'webhook',
    words: 'Chat or webhook',
    about: 'Slack, Teams, Discord, ntfy, PagerDuty, or JSON with a signature.',
  },
];

export const KIND_WORD = Object.fromEntries(
  KINDS.map(({ kind, words }) => [kind, words]),
) as Record<ChannelKind, string>;

export const FIELDS: Record<ChannelKind, Field[]> = {
  email: EMAIL,
  sms: SMS,
  voice: VOICE,
  webhook: WEBHOOK,
};
