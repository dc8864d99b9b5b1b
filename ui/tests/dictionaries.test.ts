import { screen, waitFor, within } from '@testing-library/svelte';
import userEvent from '@testing-library/user-event';
import axe from 'axe-core';
import { expect, test } from 'vitest';

import { aDictionary } from './cellular';
import { MemoryServer } from './server';
import { openAt } from './window';

const PAGE = '/sources/dictionaries';

function serverOf(...dictionaries: ReturnType<typeof aDictionary>[]): MemoryServer {
  const server = new MemoryServer();
  server.cellular.dictionaries = dictionaries;
  return server;
}

const row = (id: string) => document.querySelector<HTMLElement>(`[data-dictionary="${id}"]`);
const last = (server: MemoryServer) => server.cellular.sent.at(-1);
const train = () => screen.findByRole('button', { name: /Train from/ });

test('a dictionary says where it is from, how large it is and who packs with it', async () => {
  const trained = { origin: 'trained' as const, entries: 12_034, is_current: true, machines: 5 };
  openAt(PAGE, serverOf(aDictionary('0badcafe', trained), aDictionary('5c54f8a0')));
  await waitFor(() => expect(row('0badcafe')).toBeTruthy());
  const text = row('0badcafe')?.textContent ?? '';
  for (const words of ['Trained from 12,034 log entries', '12.6 KB', '5 machines', 'Given to']) {
    expect(text).toContain(words);
  }
  expect(row('5c54f8a0')?.textContent).toContain('Came with Vendlog');
  const rules = { 'color-contrast': { enabled: false } };
  expect((await axe.run(document, { rules })).violations).toEqual([]);
});

test('training says how long it runs, and its result waits on another page', async () => {
  const server = serverOf(aDictionary('5c54f8a0'));
  let end = () => {};
  server.cellular.trained = new Promise((resolve) => (end = resolve));
  openAt(PAGE, server);
  await userEvent.click(await train());
  expect(await screen.findByText(/Training from the logs of the last 30 days, 0 s/)).toBeTruthy();
  await userEvent.click(screen.getByRole('link', { name: 'Recent drops' }));
  end();
  await userEvent.click(await screen.findByRole('link', { name: 'Dictionaries' }));
  expect(
    await screen.findByText(/0badcafe is made from 12,034 log entries and takes 12.6 KB/),
  ).toBeTruthy();
  expect(server.cellular.sent[0]?.body).toEqual({ days: 30, make_current: true });
  expect(row('0badcafe')).toBeTruthy();
});

test('a refused training says why, and one can be called off', async () => {
  const server = serverOf();
  server.cellular.untrained = { code: 'too_little', message: 'only 3 entries are stored' };
  openAt(PAGE, server);
  expect(await screen.findByText('No dictionary of your own yet')).toBeTruthy();
  await userEvent.click(await train());
  expect(await screen.findByText(/Only 3 entries are stored/)).toBeTruthy();
  server.cellular.trained = new Promise(() => {});
  await userEvent.click(await train());
  await userEvent.click(await screen.findByRole('button', { name: 'Cancel' }));
  expect(screen.getByText('Cancelled. Nothing was changed.')).toBeTruthy();
});

test('another dictionary is given to the machines, and the one before comes back', async () => {
  const server = serverOf(aDictionary('0badcafe', { is_current: true }), aDictionary('5c54f8a0'));
  openAt(PAGE, server);
  const give = await screen.findByRole('button', { name: 'Give 5c54f8a0 to the machines' });
  await userEvent.click(give);
  await screen.findByText(/get dictionary 5c54f8a0 with their next heartbeat/);
  await userEvent.click(screen.getByRole('button', { name: 'Undo' }));
  await waitFor(() => expect(last(server)?.path).toBe('/api/dictionaries/0badcafe/use'));
  const kept = row('5c54f8a0');
  if (!kept) throw new Error('the row is gone');
  expect(await within(kept).findByRole('button', { name: /^Give/ })).toBeTruthy();
});

test('a dictionary comes as a file', async () => {
  openAt(PAGE, serverOf());
  const field = await screen.findByLabelText('Dictionary file');
  await userEvent.upload(field, new File([new Uint8Array([1, 2, 250])], 'fleet.vdict'));
  expect(await screen.findByText(/Dictionary a1b2c3d4 is here/)).toBeTruthy();
});
