import { screen, waitFor } from '@testing-library/svelte';
import userEvent from '@testing-library/user-event';
import { expect, test } from 'vitest';

import { draftOf, faults, newDraft, toChange } from '../src/lib/alerts/channels/draft';
import { aChannel, aConfig } from './alerting';
import { MemoryServer } from './server';
import { openAt } from './window';

const last = (server: MemoryServer) => server.alerting.sent.at(-1);
const hidden = { hidden: true };

test('the first channel is added, tried before it is saved, and stands in the list', async () => {
  const server = new MemoryServer();
  server.alerting.config = aConfig({ channels: [] });
  openAt('/alerts/channels', server);
  await userEvent.click(await screen.findByRole('link', { name: 'Add channel' }));
  await userEvent.click(await screen.findByRole('link', { name: /^E-mail/, ...hidden }));
  const field = (name: string) => screen.findByLabelText(name);
  await userEvent.click(await screen.findByRole('button', { name: 'Add channel', ...hidden }));
  expect(await screen.findByText('Server is needed.')).toBeTruthy();
  await userEvent.type(await field('Server'), 'smtp.example.com');
  await userEvent.type(await field('User'), 'ops');
  await userEvent.type(await field('Password'), 'hunter2');
  await userEvent.type(await field('Sender'), 'ops@example.com');
  await userEvent.type(await field('Try it'), 'bo@example.com');
  await userEvent.click(screen.getByRole('button', { name: 'Send a test', ...hidden }));
  expect(await screen.findByText('It works.')).toBeTruthy();
  const config = {
    kind: 'email',
    host: 'smtp.example.com',
    tls: 'starttls',
    user: 'ops',
    password: 'hunter2',
    from: 'ops@example.com',
  };
  expect(last(server)?.body).toEqual({ channel: config, to: 'bo@example.com', template: null });
  await userEvent.click(screen.getByRole('button', { name: 'Add channel', ...hidden }));
  expect(await screen.findByText(/email is added/)).toBeTruthy();
  expect(last(server)?.body).toMatchObject({ id: 'email', enabled: true, config });
});

test('a channel is turned off, deleted, and comes back', async () => {
  const server = new MemoryServer();
  openAt('/alerts/channels', server);
  await userEvent.click(await screen.findByRole('button', { name: 'Turn off' }));
  expect(last(server)).toMatchObject({ method: 'PUT', body: { id: 'email', enabled: false } });
  await userEvent.click(await screen.findByRole('button', { name: 'Delete' }));
  await waitFor(() => expect(screen.queryByRole('button', { name: 'Delete' })).toBeNull());
  await userEvent.click(await screen.findByRole('button', { name: 'Undo' }));
  expect(await screen.findByRole('button', { name: 'Delete' })).toBeTruthy();
});

test('own words are shown as a message will look', async () => {
  const server = new MemoryServer();
  openAt('/alerts/channels?edit=email', server);
  await userEvent.click(await screen.findByText('Own words, and how a message looks'));
  await userEvent.type(screen.getByLabelText('Text'), 'Go to {{{{site}}');
  expect(await screen.findByText('CRITICAL Down')).toBeTruthy();
  await waitFor(() =>
    expect(last(server)?.body).toMatchObject({ template: { body: 'Go to {{site}}' } }),
  );
});

test('secrets stay while the account is the same, and are asked for when it is another', () => {
  const config = {
    kind: 'sms' as const,
    from: '+15035550100',
    account: { account_sid: 'AC1', secret: '***', base_url: 'https://api.twilio.com' },
    takes_replies: true,
  };
  const draft = draftOf(aChannel('sms', { kind: 'sms', config }));
  expect(faults(draft, []).size).toBe(0);
  const account = { account_sid: 'AC1', base_url: 'https://api.twilio.com' };
  expect(toChange(draft).config['account']).toEqual(account);
  draft.values['account.account_sid'] = 'AC2';
  expect([...faults(draft, []).keys()]).toEqual(['account.secret']);
});

test('a name that is taken or cannot be written in a rule is refused', () => {
  const draft = newDraft('sms', ['sms']);
  expect(draft.id).toBe('sms-2');
  for (const id of ['sms', 'Ops phone', '']) {
    expect(faults({ ...draft, id }, ['sms']).has('id')).toBe(true);
  }
});

test('the outside watch is set, and says how it does', async () => {
  const server = new MemoryServer();
  openAt('/alerts/watch', server);
  expect(await screen.findByText(/No address is set: nobody notices/)).toBeTruthy();
  await userEvent.type(screen.getByLabelText('Address to ping'), 'https://hc-ping.com/5b9a');
  await userEvent.click(screen.getByRole('button', { name: 'Save' }));
  expect(await screen.findByText(/hc-ping.com\/\*\*\* is pinged within a minute/)).toBeTruthy();
  expect(last(server)?.body).toEqual({ dead_man_url: 'https://hc-ping.com/5b9a' });
});
