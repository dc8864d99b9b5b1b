import { screen } from '@testing-library/svelte';
import userEvent from '@testing-library/user-event';
import { expect, test } from 'vitest';

import { aMachine, MemoryServer } from './server';
import { openAt } from './window';

async function manage(what: string): Promise<void> {
  const server = new MemoryServer();
  server.machines = [aMachine('VM001')];
  openAt('/machines/VM001', server);
  await userEvent.click(await screen.findByRole('button', { name: 'Manage' }));
  await userEvent.click(await screen.findByRole('button', { name: what }));
}

test('a machine is paired anew with one command', async () => {
  await manage('Make a pairing code');
  await userEvent.click(await screen.findByRole('button', { name: 'Make a pairing code' }));
  expect(await screen.findByText('sudo vendlog-agent pair VLP1-for-VM001')).toBeTruthy();
});

test('an address that cannot be one is said so, and stays to be mended', async () => {
  await manage('Make a pairing code');
  const address = await screen.findByLabelText<HTMLInputElement>(/Address of this server/);
  await userEvent.type(address, 'ops-pc');
  await userEvent.keyboard('{Enter}');
  expect(await screen.findByText(/must be https:\/\/HOST/)).toBeTruthy();
  expect(address.value).toBe('ops-pc');
});

test('the agent changes its key itself, and nobody sees it', async () => {
  await manage('Change its key');
  await userEvent.click(await screen.findByRole('button', { name: 'Have the agent change it' }));
  expect(await screen.findByText(/takes a new key with its next heartbeat/)).toBeTruthy();
  expect(document.body.textContent).not.toContain('vl_');
});

test('a key can still be brought there by hand', async () => {
  await manage('Change its key');
  await userEvent.click(await screen.findByRole('button', { name: 'Make one to bring there' }));
  expect(await screen.findByText(/vl_new_secret/)).toBeTruthy();
});
