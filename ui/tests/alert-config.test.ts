import { screen, waitFor } from '@testing-library/svelte';
import userEvent from '@testing-library/user-event';
import { expect, test } from 'vitest';

import { aConfig, aDelivery, aRule } from './alerting';
import { aMachine, MemoryServer } from './server';
import { openAt } from './window';

const last = (server: MemoryServer) => server.alerting.sent.at(-1);

test('a rule stands as a sentence, is turned off, and comes back after it was deleted', async () => {
  const server = new MemoryServer();
  const rules = [aRule('down', { name: 'Payment System Down' })];
  server.alerting.config = aConfig({ rules });
  openAt('/alerts/rules', server);
  const sentence =
    'When there are 10 or more ERROR or worse of payment, reader within 5 min, tell Operations by email at once.';
  expect(await screen.findByText(sentence)).toBeTruthy();
  await userEvent.click(screen.getByRole('button', { name: 'Turn off' }));
  expect(last(server)).toMatchObject({ method: 'PUT', body: { id: 'down', enabled: false } });
  await userEvent.click(await screen.findByRole('button', { name: 'Delete' }));
  await waitFor(() => expect(screen.queryByText(sentence)).toBeNull());
  await userEvent.click(await screen.findByRole('button', { name: 'Undo' }));
  expect(await screen.findByText(sentence)).toBeTruthy();
});

test('the first person is added to the group that the rules tell', async () => {
  const server = new MemoryServer();
  const groups = [{ id: 'ops', name: 'Operations', people: [] }];
  server.alerting.config = aConfig({ people: [], groups });
  openAt('/alerts/people', server);
  await userEvent.click(await screen.findByRole('button', { name: 'Add person' }));
  await userEvent.type(await screen.findByLabelText('Name'), 'Ana Ferreira');
  await userEvent.type(screen.getByLabelText('Address 1'), 'ana@example.com');
  await userEvent.type(screen.getByLabelText('Quiet hours'), '22:00-06:00');
  await userEvent.click(screen.getByRole('button', { name: 'Save', hidden: true }));
  expect(await screen.findByText('Ana Ferreira is saved.')).toBeTruthy();
  expect(last(server)?.body).toMatchObject({
    people: [
      {
        id: 'ana-ferreira',
        addresses: [{ channel: 'email', to: 'ana@example.com' }],
        quiet: '22:00-06:00',
      },
    ],
    groups: [{ id: 'ops', people: ['ana-ferreira'] }],
  });
});

test('what the server finds wrong is said with its place, and nothing is lost', async () => {
  const server = new MemoryServer();
  server.alerting.wrong = [{ place: 'people[0] "Ana"', words: '"Mars" is no time zone' }];
  openAt('/alerts/people', server);
  await userEvent.click(await screen.findByRole('button', { name: 'Edit' }));
  await userEvent.click(screen.getByRole('button', { name: 'Save', hidden: true }));
  expect(await screen.findByText(/people\[0\] "Ana": "Mars" is no time zone/)).toBeTruthy();
});

test('work on a machine begins with a click, says when it ends, and ends early', async () => {
  const server = new MemoryServer();
  server.machines = [aMachine('VM003')];
  openAt('/machines/VM003', server);
  await userEvent.click(await screen.findByRole('button', { name: 'I work on it' }));
  await userEvent.click(screen.getByRole('button', { name: 'For 4 h' }));
  expect(last(server)?.body).toEqual({ machines: ['VM003'], for_s: 14_400 });
  expect(await screen.findByText(/Worked on by You, ends in (4 h|3 h 59 min)/)).toBeTruthy();
  await userEvent.click(screen.getByRole('button', { name: 'End now' }));
  expect(await screen.findByRole('button', { name: 'I work on it' })).toBeTruthy();
});

test('a channel is tried with a real message, and every message is listed', async () => {
  const server = new MemoryServer();
  server.alerting.deliveries = [aDelivery(1, { state: 'failed', tries: 3, error: 'refused' })];
  openAt('/alerts/channels', server);
  await userEvent.type(await screen.findByLabelText('Send a test by email to'), 'bo@example.com');
  await userEvent.click(screen.getByRole('button', { name: 'Test' }));
  expect(last(server)?.body).toEqual({ channel: 'email', to: 'bo@example.com' });
  expect(await screen.findByText('It works.')).toBeTruthy();
  await userEvent.click(screen.getByRole('link', { name: 'Messages' }));
  expect(await screen.findByText(/Failed after 3 tries: refused/)).toBeTruthy();
});

test('the configuration is brought as a file, and the one before comes back', async () => {
  const server = new MemoryServer();
  openAt('/alerts/rules', server);
  const rules = [aRule('new', { name: 'From the file' })];
  const file = new File([JSON.stringify({ rules })], 'alerts.json', { type: 'application/json' });
  await userEvent.upload(await screen.findByLabelText('Use a file'), file);
  expect(await screen.findByText('From the file')).toBeTruthy();
  await userEvent.click(screen.getByRole('button', { name: 'Undo' }));
  expect(await screen.findByText('Payment System Down')).toBeTruthy();
});
