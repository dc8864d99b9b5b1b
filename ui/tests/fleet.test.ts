import { screen, within } from '@testing-library/svelte';
import userEvent from '@testing-library/user-event';
import { expect, test } from 'vitest';

import { aMachine, MemoryServer } from './server';
import { openAt } from './window';

function fleetOf(...machines: ReturnType<typeof aMachine>[]): MemoryServer {
  const server = new MemoryServer();
  server.machines = machines;
  return server;
}

const troubled = () =>
  fleetOf(
    aMachine('VM001'),
    aMachine('VM002', { status: 'yellow', reason: '1 error in the last hour.', errors_1h: 1 }),
    aMachine('VM003', { status: 'red', reason: 'No contact for 2 h 10 min (WiFi).' }),
  );

const rows = () =>
  [...document.querySelectorAll('[data-machine]')].map((row) => row.getAttribute('data-machine'));

test('the first sentence says how many need attention, and which', async () => {
  openAt('/', troubled());
  expect(await screen.findByText('2 of 3 machines need attention')).toBeTruthy();
  const summary = screen.getByRole('region', { name: 'Summary' });
  expect(within(summary).getByText('no contact for 2 h 10 min (WiFi)')).toBeTruthy();
});

test('the worst come first; a column sorts, and the address keeps it', async () => {
  openAt('/', troubled());
  await screen.findByText('2 of 3 machines need attention');
  expect(rows()).toEqual(['VM003', 'VM002', 'VM001']);
  await userEvent.click(screen.getByRole('button', { name: 'Machine' }));
  expect(rows()).toEqual(['VM001', 'VM002', 'VM003']);
  expect(location.search).toBe('?sort=machine');
});

test('a status chip shows only those machines', async () => {
  openAt('/', troubled());
  await userEvent.click(await screen.findByRole('button', { name: /In trouble 1/ }));
  expect(rows()).toEqual(['VM003']);
});

test('typing filters; without a match it says so and offers the way back', async () => {
  openAt('/', troubled());
  await screen.findByText('2 of 3 machines need attention');
  await userEvent.type(screen.getByRole('searchbox'), 'nowhere');
  expect(await screen.findByText('No machine matches')).toBeTruthy();
  await userEvent.click(screen.getByRole('button', { name: 'Clear the filter' }));
  expect(rows()).toHaveLength(3);
});

test('the keyboard moves along the rows and opens a machine', async () => {
  openAt('/', troubled());
  await screen.findByText('2 of 3 machines need attention');
  await userEvent.keyboard('jj');
  expect(document.activeElement?.textContent).toContain('VM002');
  await userEvent.keyboard('{Enter}');
  expect(location.pathname).toBe('/machines/VM002');
});

test('loading shows the shape of what comes', async () => {
  const server = new MemoryServer();
  server.fate = 'hangs';
  openAt('/', server);
  expect(await screen.findByRole('status', { name: 'Loading the machines' })).toBeTruthy();
});

test('an error names the cause, and trying again helps when it is gone', async () => {
  const server = troubled();
  server.fate = 'fails';
  openAt('/', server);
  const face = await screen.findByText('Could not load the machines');
  expect(face.parentElement?.textContent).toContain('A day file is damaged. Run verify.');
  server.fate = 'answers';
  await userEvent.click(screen.getByRole('button', { name: 'Try again' }));
  expect(await screen.findByText('2 of 3 machines need attention')).toBeTruthy();
});

test('the first start offers the first machine, then its pairing code, and all of it by hand', async () => {
  openAt('/', new MemoryServer());
  expect(await screen.findByText('No machines yet')).toBeTruthy();
  await userEvent.type(screen.getByLabelText(/Machine id/), 'VM001');
  await userEvent.click(screen.getByRole('button', { name: 'Add machine' }));
  expect(await screen.findByText('sudo vendlog-agent pair VLP1-first')).toBeTruthy();
  expect(screen.getByText(/vl_abc_secret/)).toBeTruthy();
  expect(screen.getByText('machine_id = "VM001"')).toBeTruthy();
});

test('an id that is taken is said so, and nothing is lost of what was typed', async () => {
  openAt('/?add=1', troubled());
  await userEvent.type(await screen.findByLabelText(/Machine id/), 'VM001');
  const [, add] = screen.getAllByRole('button', { name: 'Add machine', hidden: true });
  await userEvent.click(add as HTMLElement);
  expect(await screen.findByText(/There is a machine VM001 already/)).toBeTruthy();
  expect(screen.getByLabelText<HTMLInputElement>(/Machine id/).value).toBe('VM001');
});

test('without a session the page says how to get a link', async () => {
  const server = new MemoryServer();
  server.fate = 'signed out';
  openAt('/', server);
  expect(await screen.findByText('You are not signed in')).toBeTruthy();
  expect(screen.getByText('vendlog-server signin-link --data DIR')).toBeTruthy();
});

test('a lost connection is said, and what was shown stays', async () => {
  const server = troubled();
  openAt('/', server);
  await screen.findByText('2 of 3 machines need attention');
  server.fate = 'unreachable';
  server.cut();
  expect(await screen.findByText(/Offline since \d\d:\d\d/)).toBeTruthy();
  expect(rows()).toHaveLength(3);
});
