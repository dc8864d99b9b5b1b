import { screen, waitFor } from '@testing-library/svelte';
import userEvent from '@testing-library/user-event';
import { expect, test } from 'vitest';

import { aConfig } from './alerting';
import { aMachine, MemoryServer } from './server';
import { openAt } from './window';

function server(): MemoryServer {
  const found = new MemoryServer();
  found.alerting.config = aConfig({ maintenance: [] });
  found.machines = ['VM001', 'VM002', 'VM003'].map((id) => aMachine(id));
  return found;
}

test('several machines are worked on, and the work ends early', async () => {
  const found = server();
  openAt('/alerts/work', found);
  const [work] = await screen.findAllByRole('button', { name: /All machines/ });
  await userEvent.click(work as HTMLElement);
  await userEvent.click(screen.getByRole('checkbox', { name: /VM001/ }));
  await userEvent.click(screen.getByRole('checkbox', { name: /VM003/ }));
  await userEvent.keyboard('{Escape}');
  await userEvent.selectOptions(screen.getByLabelText('For how long'), '12 h');
  await userEvent.click(screen.getByRole('button', { name: 'Begin' }));
  expect(found.alerting.sent.at(-1)?.body).toEqual({
    machines: ['VM001', 'VM003'],
    for_s: 43_200,
  });
  expect(await screen.findByText('VM001, VM003')).toBeTruthy();
  await userEvent.click(screen.getByRole('button', { name: 'End now' }));
  expect(await screen.findByText(/No machine is worked on/)).toBeTruthy();
});

test('opening hours are set for all, and come back', async () => {
  const found = server();
  openAt('/alerts/work', found);
  await userEvent.type(await screen.findByLabelText('Open when'), 'Mo-Fr 08:00-20:00');
  await userEvent.click(screen.getByRole('button', { name: 'Set' }));
  expect(await screen.findByText('3 machines open Mo-Fr 08:00-20:00.')).toBeTruthy();
  expect(found.changes).toHaveLength(3);
  await userEvent.click(screen.getByRole('button', { name: 'Undo' }));
  await waitFor(() => expect(found.changes.at(-1)?.change).toEqual({ opening_hours: '' }));
});

test('a machine gets an owner, who is one of the people', async () => {
  const found = server();
  openAt('/machines/VM001', found);
  await userEvent.click(await screen.findByRole('button', { name: 'Manage' }));
  await userEvent.click(screen.getByRole('button', { name: /Edit name/ }));
  await userEvent.type(await screen.findByLabelText('Site'), 'Main Street');
  const owner = screen.getByLabelText('Owner');
  const person = found.alerting.config.people[0];
  await userEvent.selectOptions(owner, person?.id ?? '');
  await userEvent.click(screen.getByRole('button', { name: 'Save', hidden: true }));
  await waitFor(() =>
    expect(found.changes.at(-1)?.change).toMatchObject({ site: 'Main Street', owner: person?.id }),
  );
});
