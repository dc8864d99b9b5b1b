// What must be known of a mail server. Pure.
import type { Field } from '../../ui/field';
import { CA, PIN, TIMEOUT } from './trust-fields';

export const EMAIL: Field[] = [
  {
    key: 'host',
    label: 'Server',
    input: 'text',
    required: true,
    placeholder: 'smtp.example.com',
    account: true,
  },
  {
    key: 'tls',
    label: 'Encryption',
    input: 'choice',
    first: 'starttls',
    choices: [
      { value: 'starttls', words: 'STARTTLS (port 587)' },
      { value: 'implicit', words: 'TLS from the start (port 465)' },
      { value: 'none', words: 'None, on this computer only (port 25)' },
    ],
    account: true,
  },
  { key: 'user', label: 'User', input: 'text', placeholder: 'ops@example.com', account: true },
  { key: 'password', label: 'Password', input: 'secret' },
  {
    key: 'from',
    label: 'Sender',
    input: 'text',
    required: true,
    placeholder: 'vendlog@example.com',
  },
  { key: 'from_name', label: 'Sender’s name', input: 'text', placeholder: 'Vendlog', more: true },
  { key: 'reply_to', label: 'Answers go to', input: 'text', more: true },
  { key: 'port', label: 'Port', input: 'number', range: [1, 65_535], more: true, account: true },
  PIN,
  CA,
  TIMEOUT,
];
