import { screen, waitFor } from '@testing-library/svelte';
import userEvent from '@testing-library/user-event';
import axe from 'axe-core';
import { expect, test } from 'vitest';

import { aDelivery, anAlert } from './alerting';
import { aCell, aSource, anItem, failing } from './cellular';
import { aMachine, anEntry, MemoryServer } from './server';
import { openAt } from './window';

function server(): MemoryServer {
  const found = new MemoryServer();
  found.machines = [aMachine('VM001', { status: 'red' }), aMachine('VM002')];
  found.entries = [anEntry(1), anEntry(2, { level: 'ERROR', context: { amount_cents: 2000 } })];
  return found;
}

/** What axe finds, but for colours: nothing is painted here (tokens.test.ts measures those). */
async function faults(): Promise<string[]> {
  const rules = { 'color-contrast': { enabled: false } };
  const { violations } = await axe.run(document, { rules });
  return violations.map(({ id, nodes }) => `${id}: ${nodes[0]?.html}`);
}

test('the fleet can be used without seeing it', async () => {
  openAt('/', server());
  await screen.findByText('1 of 2 machines needs attention');
  expect(await faults()).toEqual([]);
});

test('so can the log lines, with one of them open', async () => {
  openAt('/logs?entry=e2', server());
  await screen.findByRole('region', { name: 'Entry of VM001' });
  expect(await faults()).toEqual([]);
});

test('so can the counts over time, as a table', async () => {
  openAt('/machines/VM001', server());
  await waitFor(() => expect(document.querySelector('[data-entry]')).toBeTruthy());
  await userEvent.click(screen.getByRole('button', { name: 'As table' }));
  expect(screen.getByRole('columnheader', { name: 'Errors' })).toBeTruthy();
  expect(await faults()).toEqual([]);
});

test('so can the form for the first machine and the palette', async () => {
  openAt('/', new MemoryServer());
  await screen.findByText('No machines yet');
  await userEvent.keyboard('{Control>}k{/Control}');
  await screen.findByRole('combobox', { name: 'Go to' });
  expect(await faults()).toEqual([]);
});

function withSources(): MemoryServer {
  const found = server();
  found.cellular.sources = [aSource('s1'), failing('s2', 'Refused.')];
  found.cellular.items = [anItem(1)];
  found.cellular.cell = aCell({
    gaps: [1, 2, 3, 4].map((n) => ({
      epoch: 1,
      first: 3 * n,
      last: 3 * n,
      after: null,
      before: null,
    })),
  });
  return found;
}

test('so can the sources, with one of them open', async () => {
  openAt('/sources?source=s2', withSources());
  await screen.findByRole('region', { name: 'Source Source s2' });
  expect(await faults()).toEqual([]);
});

test.each(['ftp', 'sftp', 'imap', 'http', '1'])('so can the form of a source: %s', async (kind) => {
  openAt(`/sources?new=${kind}`, withSources());
  await screen.findByRole('dialog', { hidden: true });
  expect(await faults()).toEqual([]);
});

test('so can the quarantine, with a file open', async () => {
  openAt('/sources/quarantine?item=1', withSources());
  await screen.findByLabelText('What it holds');
  expect(await faults()).toEqual([]);
});

test('so can the cellular path of a machine, with its plan open', async () => {
  openAt('/machines/VM001', withSources());
  await userEvent.click(await screen.findByRole('button', { name: 'Edit plan' }));
  await screen.findByRole('dialog', { name: 'Data plan', hidden: true });
  expect(await faults()).toEqual([]);
});

test.each([
  '/alerts',
  '/alerts/rules',
  '/alerts/rules?new',
  '/alerts/people',
  '/alerts/channels',
  '/alerts/channels?new',
  '/alerts/channels?new=email',
  '/alerts/work',
  '/alerts/deliveries',
  '/alerts/watch',
])('so can the page %s of alerts', async (path) => {
  const found = server();
  found.alerting.alerts = [anAlert(1), anAlert(2, { phase: 'acknowledged' })];
  found.alerting.deliveries = [aDelivery(1)];
  openAt(path, found);
  await screen.findByRole('navigation', { name: 'Lists', hidden: true });
  await waitFor(() => expect(document.querySelector('[aria-label^="Loading"]')).toBeNull());
  if (path.includes('?')) await screen.findByRole('dialog');
  expect(await faults()).toEqual([]);
});
