// What must be known of Twilio's account, and of SMS and calls by it. Pure.
import type { Field } from '../../ui/field';

/** Fields of the account stand in a part of their own. */
export const NESTED = 'account.';

const TWILIO: Field[] = [
  {
    key: 'account.account_sid',
    label: 'Account SID',
    input: 'text',
    required: true,
    placeholder: 'AC…',
    hint: 'On the first page of the Twilio console.',
    account: true,
  },
  { key: 'account.secret', label: 'Auth token or key secret', input: 'secret', required: true },
  {
    key: 'account.api_key_sid',
    label: 'API key SID',
    input: 'text',
    placeholder: 'SK…',
    hint: 'When the secret is an API key’s, which can be taken back alone.',
    more: true,
    account: true,
  },
  {
    key: 'account.base_url',
    label: 'Address of the API',
    input: 'text',
    placeholder: 'https://api.twilio.com',
    more: true,
    account: true,
  },
  {
    key: 'from',
    label: 'Your number',
    input: 'text',
    required: true,
    placeholder: '+15035550100',
    hint: 'With + and country code.',
  },
];

export const SMS: Field[] = [
  ...TWILIO,
  { key: 'takes_replies', label: 'A reply ACK 12 acknowledges', input: 'check', first: 'true' },
  {
    key: 'max_segments',
    label: 'Segments at most',
    input: 'number',
    placeholder: '2',
    range: [1, 10],
    hint: 'Each is paid: 160 letters, or 70 with letters that GSM does not have.',
    more: true,
  },
  {
    key: 'messaging_service_sid',
    label: 'Messaging service',
    input: 'text',
    placeholder: 'MG…',
    more: true,
  },
];

export const VOICE: Field[] = [
  ...TWILIO,
  { key: 'language', label: 'Language', input: 'text', placeholder: 'en-US', more: true },
  {
    key: 'ring_s',
    label: 'Rings for',
    input: 'number',
    placeholder: '30',
    range: [5, 600],
    hint: 'Seconds.',
    more: true,
  },
  {
    key: 'public_url',
    label: 'Public address of Vendlog',
    input: 'text',
    placeholder: 'https://relay.example.com',
    hint: '“Press 1 to acknowledge” is offered only when Twilio can reach it.',
    more: true,
  },
];
