// What must be known of each kind of source: the forms are drawn from this. Pure.
import type { Field } from '../ui/field';
import type { FormKind } from './types';

const HOST: Field = {
  key: 'host',
  label: 'Server',
  input: 'text',
  required: true,
  placeholder: 'ftp.example.com',
  account: true,
};
const USER: Field = { key: 'user', label: 'User', input: 'text', required: true, account: true };
const PASSWORD: Field = { key: 'password', label: 'Password', input: 'secret', required: true };
const PIN: Field = {
  key: 'pin',
  label: 'Trust only this certificate key',
  input: 'text',
  placeholder: 'sha256/…',
  hint: 'For a server with a certificate of its own making; the test shows it.',
  when: { key: 'tls', is: ['explicit', 'implicit'] },
  more: true,
  account: true,
};
const CA: Field = {
  key: 'ca_pem',
  label: 'Trust this authority',
  input: 'long',
  placeholder: '-----BEGIN CERTIFICATE-----',
  hint: 'Instead of the authorities that this computer trusts.',
  when: { key: 'tls', is: ['explicit', 'implicit'] },
  more: true,
};
const OLD_TLS: Field = {
  key: 'tls_max_12',
  label: 'TLS 1.2 at most, for old servers (they answer 522 or break off)',
  input: 'check',
  when: { key: 'tls', is: ['explicit', 'implicit'] },
  more: true,
};
const TIMES: Field[] = [
  {
    key: 'interval_s',
    label: 'Ask every (seconds)',
    input: 'number',
    first: '60',
    required: true,
    range: [10, 86_400],
  },
  {
    key: 'timeout_s',
    label: 'Longest wait (seconds)',
    input: 'number',
    first: '20',
    range: [1, 300],
    more: true,
  },
];

function port(placeholder: string): Field {
  const range: [number, number] = [1, 65_535];
  return { key: 'port', label: 'Port', input: 'number', placeholder, range, account: true };
}

function tls(first: 'explicit' | 'implicit', explicit: string): Field {
  const choices = [
    { value: 'explicit', words: explicit },
    { value: 'implicit', words: 'TLS from the first byte' },
    { value: 'none', words: 'None: the password travels in clear' },
  ];
  return { key: 'tls', label: 'Encryption', input: 'choice', first, choices };
}

function signIn(words: Record<string, string>): Field {
  const choices = Object.entries(words).map(([value, said]) => ({ value, words: said }));
  return { key: 'auth', label: 'Signs in with', input: 'choice', first: 'password', choices };
}

function files(folder: Partial<Field>, pattern: Partial<Field>, moveTo: string): Field[] {
  const choices = [
    { value: 'keep', words: 'Leave it where it is' },
    { value: 'move', words: 'Move it' },
    { value: 'delete', words: 'Delete it' },
  ];
  return [
    { key: 'folder', label: 'Folder', input: 'text', ...folder },
    {
      key: 'pattern',
      label: 'File names',
      input: 'text',
      first: '*',
      placeholder: '*.txt',
      hint: '* is anything, ? one character.',
      ...pattern,
    },
    { key: 'after', label: 'After it is stored here', input: 'choice', first: 'keep', choices },
    {
      key: 'move_to',
      label: 'Move to',
      input: 'text',
      required: true,
      placeholder: moveTo,
      when: { key: 'after', is: ['move'] },
    },
  ];
}

const AFTER_LOGIN = { placeholder: '/out', hint: 'Empty: the one after signing in.' };
const XOAUTH2 = { when: { key: 'auth', is: ['xoauth2'] } };

export const FIELDS: Record<FormKind, Field[]> = {
  ftp: [
    HOST,
    port('21, or 990 with TLS from the first byte'),
    tls('explicit', 'TLS, asked for (AUTH TLS)'),
    USER,
    PASSWORD,
    ...files(AFTER_LOGIN, {}, 'done'),
    ...TIMES,
    PIN,
    CA,
    OLD_TLS,
    {
      key: 'trust_pasv_address',
      label: 'Connect for data to the address that the server names',
      input: 'check',
      more: true,
    },
  ],
  sftp: [
    { ...HOST, placeholder: 'sftp.example.com' },
    port('22'),
    USER,
    signIn({ password: 'A password', key: 'A private key' }),
    { ...PASSWORD, when: { key: 'auth', is: ['password'] } },
    {
      key: 'private_key',
      label: 'Private key',
      input: 'long secret',
      required: true,
      placeholder: '-----BEGIN OPENSSH PRIVATE KEY-----',
      when: { key: 'auth', is: ['key'] },
    },
    {
      key: 'passphrase',
      label: 'Passphrase of the key',
      input: 'secret',
      when: { key: 'auth', is: ['key'] },
    },
    {
      key: 'host_key',
      label: 'Key of the server',
      input: 'text',
      placeholder: 'SHA256:…',
      hint: 'Test the connection: it shows the key, to be compared and accepted.',
      account: true,
    },
    ...files(AFTER_LOGIN, {}, 'done'),
    ...TIMES,
  ],
  imap: [
    { ...HOST, placeholder: 'imap.example.com' },
    port('993, or 143 without TLS from the first byte'),
    tls('implicit', 'TLS, asked for (STARTTLS)'),
    USER,
    signIn({ password: 'A password', xoauth2: 'A token (XOAUTH2)' }),
    { ...PASSWORD, when: { key: 'auth', is: ['password'] } },
    {
      key: 'refresh_token',
      label: 'Refresh token',
      input: 'secret',
      hint: 'Gets an access token at every poll.',
      ...XOAUTH2,
    },
    {
      key: 'token_url',
      label: 'Where to get tokens',
      input: 'text',
      placeholder: 'https://oauth2.googleapis.com/token',
      account: true,
      ...XOAUTH2,
    },
    { key: 'client_id', label: 'Client id', input: 'text', ...XOAUTH2 },
    { key: 'client_secret', label: 'Client secret', input: 'secret', ...XOAUTH2 },
    {
      key: 'access_token',
      label: 'Or an access token as it is',
      input: 'secret',
      hint: 'Most end within hours.',
      ...XOAUTH2,
    },
    ...files(
      { placeholder: 'INBOX' },
      { label: 'Attachment names', hint: '* takes mails without one too.' },
      'Done',
    ),
    ...TIMES,
    { key: 'from', label: 'Sender', input: 'text', first: '*', more: true },
    { key: 'subject', label: 'Subject', input: 'text', first: '*', more: true },
    { key: 'unseen_only', label: 'Only mails that nobody has read', input: 'check', more: true },
    PIN,
    CA,
    OLD_TLS,
  ],
  http: [
    { ...USER, first: 'usalive' },
    {
      ...PASSWORD,
      least: 12,
      hint: 'Long and random: this address may be open to the whole internet.',
    },
  ],
};
