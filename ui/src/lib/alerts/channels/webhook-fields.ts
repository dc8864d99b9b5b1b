// What must be known of a chat or another receiver of webhooks. Pure.
import type { Field } from '../../ui/field';
import { CA, PIN, TIMEOUT } from './trust-fields';

export const WEBHOOK: Field[] = [
  {
    key: 'preset',
    label: 'For',
    input: 'choice',
    first: 'plain',
    choices: [
      { value: 'plain', words: 'JSON of our own, signed' },
      { value: 'slack', words: 'Slack' },
      { value: 'teams_workflows', words: 'Teams Workflows' },
      { value: 'discord', words: 'Discord' },
      { value: 'ntfy', words: 'ntfy' },
      { value: 'pagerduty', words: 'PagerDuty' },
    ],
    account: true,
  },
  {
    key: 'url',
    label: 'Address',
    input: 'secret',
    required: true,
    hint: 'Whoever knows it can write there: it is kept as a secret.',
    when: { key: 'preset', is: ['plain', 'slack', 'teams_workflows', 'discord', 'ntfy'] },
  },
  {
    key: 'routing_key',
    label: 'Integration key',
    input: 'secret',
    required: true,
    when: { key: 'preset', is: ['pagerduty'] },
  },
  {
    key: 'signing_secret',
    label: 'Signing secret',
    input: 'secret',
    hint: 'whsec_ and base64 of 24 to 64 bytes; every request is signed with it.',
    when: { key: 'preset', is: ['plain'] },
  },
  {
    key: 'old_signing_secret',
    label: 'Signing secret before',
    input: 'secret',
    hint: 'Signs too, until the receiver knows the new one.',
    when: { key: 'preset', is: ['plain'] },
    more: true,
  },
  {
    key: 'token',
    label: 'Token',
    input: 'secret',
    hint: 'Sent as Authorization: Bearer.',
    when: { key: 'preset', is: ['plain', 'ntfy'] },
    more: true,
  },
  PIN,
  CA,
  TIMEOUT,
];
