import { screen, waitFor, within } from '@testing-library/svelte';
import userEvent from '@testing-library/user-event';
import { expect, test } from 'vitest';

import { aChannel, aConfig, aDelivery, ago, anAlert, aPerson, happened } from './alerting';
import { HOSTILE, MemoryServer, NOW } from './server';
import { openAt } from './window';

function serverOf(...alerts: ReturnType<typeof anAlert>[]): MemoryServer {
  const server = new MemoryServer();
  server.alerting.alerts = alerts;
  return server;
}

const row = (id: number) => document.querySelector<HTMLElement>(`[data-alert="${id}"]`);
const rows = () =>
  [...document.querySelectorAll<HTMLElement>('[data-alert]')].map(
    ({ dataset }) => dataset['alert'],
  );
const last = (server: MemoryServer) => server.alerting.sent.at(-1);
const seen = (id: number) => waitFor(() => expect(row(id)).toBeTruthy());

test('an alert says how grave, what, where, since when and what is known', async () => {
  openAt('/alerts', serverOf(anAlert(1)));
  await seen(1);
  const text = row(1)?.textContent ?? '';
  for (const said of ['Payment System Down', 'Critical', 'VM003 Lobby west, Main Street', '14']) {
    expect(text).toContain(said);
  }
  expect(text).toContain('reader did not answer within 30 s');
  expect(text).toMatch(/12 min ago/);
  expect(screen.getByText('1 alert is firing')).toBeTruthy();
  expect(screen.getByRole('link', { name: /Alerts 1 alert firing/ })).toBeTruthy();
});

test('what fires stands first and gravest first; then who has it, what waits, what is over', async () => {
  const over = { resolved_at: ago(60), resolved_by: 'itself' as const };
  const alerts = [
    anAlert(1, { phase: 'resolved', ...over }),
    anAlert(2, { phase: 'waiting' }),
    anAlert(3, { severity: 'warning' }),
    anAlert(4, { phase: 'acknowledged', acknowledged_by: 'Ana', acknowledged_note: 'at 3' }),
    anAlert(5),
  ];
  openAt('/alerts', serverOf(...alerts));
  await seen(1);
  expect(rows()).toEqual(['5', '3', '4', '2', '1']);
  expect(row(4)?.textContent).toContain('Acknowledged by Ana: at 3');
  expect(row(1)?.textContent).toContain('Over for 1 min, by itself');
});

test('late, silenced and worked on are said in the row', async () => {
  const until = new Date(NOW + 3_600_000).toISOString();
  openAt(
    '/alerts',
    serverOf(anAlert(1, { is_late: true, silenced_until: until, in_maintenance: true })),
  );
  await seen(1);
  expect(row(1)?.textContent).toMatch(/Late.*Silenced until .*\d\d:\d\d.*Maintenance/s);
});

test('the machines of an alert of many stand inside it', async () => {
  const machines = ['VM001', 'VM002'].map((id) => ({ id, name: '', site: '' }));
  const members = machines.map((machine, i) =>
    anAlert(2 + i, { group: 1, machines: [machine], machine_id: machine.id }),
  );
  const all = anAlert(1, { kind: 'path', path: 'cell', machine_id: null, machines });
  openAt('/alerts?alert=1', serverOf(all, ...members));
  await screen.findByText('2 machines, 2 still open');
  expect(rows()).toEqual(['1']);
  expect(row(1)?.textContent).toContain('2 machines by cellular: VM001, VM002');
});

test('the filter is the address', async () => {
  const server = serverOf(anAlert(1), anAlert(2, { severity: 'warning', phase: 'waiting' }));
  openAt('/alerts?severity=warning', server);
  await seen(2);
  expect(rows()).toEqual(['2']);
  await userEvent.selectOptions(screen.getByLabelText('Severity'), 'Any severity');
  expect(rows()).toEqual(['1', '2']);
  await userEvent.click(screen.getByRole('button', { name: /^Firing/ }));
  expect(location.search).toBe('?phase=firing');
  expect(rows()).toEqual(['1']);
});

test('an open alert tells its history, who was told, and leads to the log', async () => {
  const server = serverOf(anAlert(1));
  server.alerting.history = [happened('began', 760), happened('noted', 100, 'Ana', 'Called Bo')];
  const error = 'the server refused the address';
  server.alerting.deliveries = [aDelivery(1), aDelivery(2, { state: 'failed', tries: 3, error })];
  openAt('/alerts/1', server);
  expect(await screen.findByText('Note by Ana')).toBeTruthy();
  expect(location.pathname + location.search).toBe('/alerts?alert=1');
  expect(screen.getByText(/Failed after 3 tries: the server refused/)).toBeTruthy();
  const link = screen.getByRole('link', { name: 'The log line' }).getAttribute('href');
  expect(link).toMatch(/^\/logs\?machine=VM003&from=.*&entry=e1$/);
});

test('keys move, acknowledge, and the way back is offered', async () => {
  const server = serverOf(anAlert(1), anAlert(2, { severity: 'warning' }));
  openAt('/alerts', server);
  await seen(2);
  await userEvent.keyboard('jj');
  expect(document.activeElement?.textContent).toMatch(/2 of 2/);
  await userEvent.keyboard('a');
  expect(last(server)).toMatchObject({ path: '/api/alerts/2/acknowledge', body: {} });
  expect(await screen.findByText(/you have it/)).toBeTruthy();
  await userEvent.click(screen.getByRole('button', { name: 'Undo' }));
  expect(last(server)?.path).toBe('/api/alerts/2/unacknowledge');
});

test('a note goes with what is done, or stands for itself', async () => {
  const server = serverOf(anAlert(1));
  openAt('/alerts', server);
  await seen(1);
  await userEvent.keyboard('j');
  await userEvent.keyboard('n');
  await waitFor(() => expect(document.activeElement).toBe(screen.getByLabelText('Note')));
  await userEvent.keyboard('On my way');
  await userEvent.click(screen.getByRole('button', { name: 'Acknowledge' }));
  expect(last(server)?.body).toEqual({ note: 'On my way' });
  expect(await screen.findByText('Acknowledged by You: On my way')).toBeTruthy();
  await userEvent.type(screen.getByLabelText('Note'), 'There now{Enter}');
  expect(last(server)).toMatchObject({ path: '/api/alerts/1/note', body: { note: 'There now' } });
});

test('an alert is silenced for a time of one’s choice', async () => {
  const server = serverOf(anAlert(1));
  openAt('/alerts?alert=1', server);
  await seen(1);
  await userEvent.keyboard('s');
  await userEvent.click(
    await screen.findByRole('button', { name: 'Until tomorrow 8:00', hidden: true }),
  );
  const { until } = last(server)?.body as { until: string };
  expect(new Date(until).getHours()).toBe(8);
  await waitFor(() => expect(row(1)?.textContent).toContain('Silenced until'));
  await userEvent.click(screen.getByRole('button', { name: 'Undo' }));
  expect(last(server)?.body).toEqual({ for_s: 0 });
});

test('a visit ends an alert with what was done', async () => {
  const server = serverOf(anAlert(1));
  openAt('/alerts?alert=1', server);
  await seen(1);
  await userEvent.keyboard('r');
  await userEvent.click(await screen.findByLabelText('By a visit'));
  const button = () =>
    within(screen.getByRole('dialog', { hidden: true })).getByRole('button', {
      name: 'Resolve',
      hidden: true,
    });
  await userEvent.click(button());
  expect(screen.getByText(/What was done at the machine/)).toBeTruthy();
  const dialog = within(screen.getByRole('dialog', { hidden: true }));
  await userEvent.type(dialog.getByLabelText('Note'), 'Changed the reader');
  await userEvent.click(button());
  expect(last(server)?.body).toEqual({ note: 'Changed the reader', visit: true });
  expect(await screen.findByText(/by a visit of You: Changed the reader/)).toBeTruthy();
});

test('why nobody hears of it is said above the list', async () => {
  const server = serverOf();
  const error = { code: 'refused', message: 'the password was refused' };
  const channels = [aChannel('email', { status: { state: 'failing', last_sent_at: null, error } })];
  server.alerting.config = aConfig({ people: [aPerson('ana', { addresses: [] })], channels });
  server.alerting.away = [{ from: ago(7200), to: ago(3600) }];
  openAt('/alerts', server);
  expect(await screen.findByText(/Nobody is told yet: no person has an address/)).toBeTruthy();
  expect(screen.getByText(/does not deliver: the password was refused/)).toBeTruthy();
  expect(await screen.findByText(/Nobody watched: .*\(1 h\)/s)).toBeTruthy();
  expect(screen.getByText('Nothing is wrong')).toBeTruthy();
});

test('one that begins to fire is seen at once', async () => {
  const server = serverOf();
  openAt('/alerts', server);
  await screen.findByText('No alert is open');
  server.alerting.alerts = [anAlert(7)];
  server.tell('alert', { alert_id: 7, phase: 'firing' });
  await seen(7);
});

test('loading has its shape, an error its cause', async () => {
  const server = serverOf(anAlert(1));
  server.fate = 'fails';
  openAt('/alerts', server);
  expect(
    (await screen.findByText('Could not load the alerts')).parentElement?.textContent,
  ).toContain('A day file is damaged. Run verify.');
  server.fate = 'answers';
  await userEvent.click(screen.getByRole('button', { name: 'Try again' }));
  await seen(1);
});

test.each(HOSTILE)('what a machine says is only ever text: %s', async (text) => {
  const machines = [{ id: 'VM003', name: text, site: text }];
  const alert = anAlert(1, { facts: text, alert_type: text, part: text, machines });
  const server = serverOf(alert);
  server.alerting.history = [happened('noted', 1, text, text)];
  server.alerting.deliveries = [aDelivery(1, { person: text, to: text, error: text })];
  openAt('/alerts?alert=1', server);
  await screen.findByText('History');
  expect(document.querySelector('img, script, svg[onload]')).toBeNull();
  expect((window as { hit?: number }).hit).toBeUndefined();
  const hidden = ['\u001b', '\u202e', '\u2066'];
  expect(hidden.filter((one) => document.body.textContent.includes(one))).toEqual([]);
});
