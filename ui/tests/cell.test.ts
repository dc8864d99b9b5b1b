import { screen, within } from '@testing-library/svelte';
import userEvent from '@testing-library/user-event';
import { expect, test } from 'vitest';

import { planFrom, planText } from '../src/lib/cell/plan';
import { percent, planWarning, signalOf } from '../src/lib/cell/words';
import { aCell } from './cellular';
import { aMachine, MemoryServer, NOW } from './server';
import { openAt } from './window';

function serverOf(cell?: ReturnType<typeof aCell>): MemoryServer {
  const server = new MemoryServer();
  server.machines = [aMachine('VM001')];
  if (cell) server.cellular.cell = cell;
  return server;
}

test('a machine that was never heard by cell has no word about it', async () => {
  openAt('/machines/VM001', serverOf());
  await screen.findByText('Machine VM001', { selector: 'h1 span' });
  expect(screen.queryByRole('region', { name: 'Cellular' })).toBeNull();
});

test('the panel says the last drop, the signal, what arrived and what it costs', async () => {
  openAt('/machines/VM001', serverOf(aCell()));
  const panel = await screen.findByRole('region', { name: 'Cellular' });
  for (const words of [
    'In use: WiFi does not deliver, so drops do',
    'no. 18',
    'good, -79 dBm',
    '97 %',
    '800 KB of 1.5 MB, $0.40',
    'Data in November',
    '1.2 MB by its end, $0.60',
  ]) {
    expect(within(panel).getByText(words)).toBeTruthy();
  }
  expect(within(panel).getByRole('meter').getAttribute('aria-valuenow')).toBe('800000');
});

test('drops that never came are named, with the time that they leave open', async () => {
  const at = (hour: number) => new Date(new Date(NOW).setHours(hour, 0, 0, 0)).toISOString();
  const gaps = [{ epoch: 7, first: 17, last: 18, after: at(2), before: at(5) }];
  openAt('/machines/VM001', serverOf(aCell({ gaps })));
  expect(await screen.findByText('Drops 17–18 missing between 02:00 and 05:00')).toBeTruthy();
});

test('standby is said in words', async () => {
  openAt('/machines/VM001', serverOf(aCell({ agent: { state: 'standby', waiting: 0 } })));
  expect(await screen.findByText(/Standby: WiFi delivers; one drop a day/)).toBeTruthy();
});

test('a rate below the aim is not rounded up to it', () => {
  expect([percent(0.9499), percent(0.95), percent(1)]).toEqual(['94.9 %', '95 %', '100 %']);
});

test('the signal is said as a person reads it, and unknown values as they come', () => {
  expect([31, 17, 5, 99, null, 120].map(signalOf)).toEqual([
    'strong, -51 dBm',
    'good, -79 dBm',
    'weak, -103 dBm',
    'unknown',
    'unknown',
    '120',
  ]);
});

test('data that will not last is said before it is gone', () => {
  const { plan } = aCell();
  expect(planWarning(plan)).toBeUndefined();
  expect(planWarning({ ...plan, forecast_bytes: 2_000_000 })).toBe('will not last');
  expect(planWarning({ ...plan, state: 'warn' })).toBe('more than 80 % used');
  expect(planWarning({ ...plan, state: 'over' })).toBe('used up');
});

test('a plan is typed as people say it', () => {
  const plan = { monthly_bytes: 1_500_000, price_cents_per_mb: 12.5, currency: 'EUR' };
  expect(planText(plan)).toEqual({ megabytes: '1.5', price: '0.125', currency: 'EUR' });
  expect(planFrom(planText(plan))).toEqual({ ok: true, plan });
  expect(planFrom({ megabytes: '', price: '', currency: 'usd' })).toEqual({
    ok: true,
    plan: { monthly_bytes: null, price_cents_per_mb: 0, currency: 'USD' },
  });
  expect(planFrom({ megabytes: 'much', price: '', currency: 'USD' }).ok).toBe(false);
});

test('the plan of one machine is changed without touching the others', async () => {
  const server = serverOf(aCell());
  openAt('/machines/VM001', server);
  await userEvent.click(await screen.findByRole('button', { name: 'Edit plan' }));
  await userEvent.click(await screen.findByRole('radio', { name: 'VM001 alone' }));
  const data = screen.getByLabelText<HTMLInputElement>(/Data a month/);
  expect(data.value).toBe('1.5');
  await userEvent.clear(data);
  await userEvent.type(data, '2');
  await userEvent.click(screen.getByRole('button', { name: 'Save' }));
  expect(server.cellular.sent.at(-1)).toEqual({
    method: 'PUT',
    path: '/api/machines/VM001/data-plan',
    body: { monthly_bytes: 2_000_000, price_cents_per_mb: 50, currency: 'USD' },
  });
});
