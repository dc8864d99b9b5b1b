import { screen, waitFor, within } from '@testing-library/svelte';
import userEvent from '@testing-library/user-event';
import { expect, test } from 'vitest';

import { aMachine, anEntry, HOSTILE, MemoryServer } from './server';
import { openAt } from './window';

function storeOf(...entries: ReturnType<typeof anEntry>[]): MemoryServer {
  const server = new MemoryServer();
  server.machines = [aMachine('VM001'), aMachine('VM002')];
  server.entries = entries;
  return server;
}

const shown = () =>
  [...document.querySelectorAll('[data-entry]')].map((row) => row.getAttribute('data-entry'));
const lines = (count: number) => waitFor(() => expect(shown()).toHaveLength(count));

test('the lines stand oldest first, and new ones come by themselves', async () => {
  const server = storeOf(anEntry(1), anEntry(2));
  openAt('/logs', server);
  await lines(2);
  server.store(anEntry(3));
  await waitFor(() => expect(shown()).toEqual(['e1', 'e2', 'e3']));
});

test('hostile text is only ever text', async () => {
  const entries = HOSTILE.map((text, i) =>
    anEntry(i + 1, {
      message: text,
      component: text.slice(0, 50),
      template: text,
      params: [[0, 4]],
      context: { [text]: text },
    }),
  );
  const server = storeOf(...entries);
  server.machines = [aMachine('VM001', { name: HOSTILE[0] ?? '', reason: HOSTILE[1] ?? '' })];
  openAt('/logs', server);
  await lines(HOSTILE.length);
  for (const [i, text] of HOSTILE.entries()) {
    const row = document.querySelector(`[data-entry="e${i + 1}"]`) as HTMLElement;
    await userEvent.click(within(row).getAllByRole('row')[0] as HTMLElement);
    await waitFor(() => expect(row.querySelector('.detail')).toBeTruthy());
    expect(row.querySelector('img, script, svg[onload]')).toBeNull();
    for (const hidden of ['\u001b', '\u202e', '\u2066']) {
      expect(row.textContent).not.toContain(hidden);
    }
    if (text.includes('<')) expect(row.textContent).toContain(text);
  }
  expect(document.body.textContent).toContain('\\x1b[31mowned');
  expect((window as { hit?: number }).hit).toBeUndefined();
});

test('an open line shows all of it, its context as money, its pattern with the count', async () => {
  const context = { amount_cents: 2000, retry_count: 3 };
  openAt('/logs?entry=e2', storeOf(anEntry(1), anEntry(2, { context })));
  const about = await screen.findByRole('region', { name: 'Entry of VM001' });
  expect(within(about).getByText('$20.00')).toBeTruthy();
  expect(await within(about).findByText(/47 times on \d+ \w+/)).toBeTruthy();
});

test('the level narrows the list and stands in the address', async () => {
  openAt('/logs', storeOf(anEntry(1), anEntry(2, { level: 'ERROR' })));
  await lines(2);
  await userEvent.click(screen.getByRole('radio', { name: 'Error' }));
  await waitFor(() => expect(shown()).toEqual(['e2']));
  expect(location.search).toBe('?level=ERROR');
  history.back();
  await lines(2);
});

test('a search marks its hits', async () => {
  openAt('/logs?q=line', storeOf(anEntry(1)));
  await lines(1);
  expect(document.querySelector('[data-entry] mark')?.textContent).toBe('line');
});

test('loading shows the shape of what comes', async () => {
  const server = new MemoryServer();
  server.fate = 'hangs';
  openAt('/logs', server);
  expect(await screen.findByRole('status', { name: 'Loading the log lines' })).toBeTruthy();
});

test('nothing found says what was looked for and how to find more', async () => {
  openAt('/logs?level=ERROR', storeOf(anEntry(1)));
  expect(await screen.findByText('No lines match this filter')).toBeTruthy();
  await userEvent.click(screen.getByRole('button', { name: 'Clear the filter' }));
  await lines(1);
});

test('an error names the cause and can be tried again', async () => {
  const server = storeOf(anEntry(1));
  server.fate = 'fails';
  openAt('/logs', server);
  const face = (await screen.findByText('Could not load the log lines')).parentElement;
  expect(face?.textContent).toContain('A day file is damaged. Run verify.');
  server.fate = 'answers';
  await userEvent.click(within(face as HTMLElement).getByRole('button', { name: 'Try again' }));
  await lines(1);
});

test('a search cut short says how far it came', async () => {
  const server = storeOf(...Array.from({ length: 8 }, (_, i) => anEntry(i + 1)));
  server.budget = 4;
  openAt('/logs', server);
  expect(await screen.findByText(/Searched back to .*there may be more/)).toBeTruthy();
  await userEvent.click(screen.getByRole('button', { name: 'Continue' }));
  await lines(8);
});

test('the page of a machine shows its state above its own lines', async () => {
  const server = storeOf(anEntry(1), anEntry(2, { machine_id: 'VM002' }));
  server.machines = [aMachine('VM001', { status: 'red', reason: '12 errors in the last hour.' })];
  openAt('/machines/VM001', server);
  expect(await screen.findByText('12 errors in the last hour.')).toBeTruthy();
  await waitFor(() => expect(shown()).toEqual(['e1']));
});

test('after a click the keyboard goes on from there; Escape closes', async () => {
  openAt('/logs', storeOf(anEntry(1), anEntry(2), anEntry(3)));
  await lines(3);
  await userEvent.click(screen.getAllByRole('gridcell', { name: 'line 1' })[0] as HTMLElement);
  await screen.findByRole('region', { name: 'Entry of VM001' });
  await userEvent.keyboard('{Escape}j{Enter}');
  expect(location.search).toBe('?entry=e2');
  await userEvent.click(await screen.findByRole('button', { name: 'Lines around this' }));
  const around = await screen.findByRole('grid', { name: 'Lines around the entry' });
  expect(within(around).getAllByRole('row')).toHaveLength(3);
  await userEvent.keyboard('{Escape}');
  expect(location.search).toBe('');
});

test('how a line came is said only where it was not WiFi alone', async () => {
  const server = storeOf(anEntry(1), anEntry(2));
  openAt('/logs', server);
  await lines(2);
  expect(screen.queryByRole('gridcell', { name: 'WiFi' })).toBeNull();
  server.store(anEntry(3, { path: 'cell', fidelity: 'summary' }), anEntry(4, { path: 'both' }));
  await lines(4);
  const names = ['WiFi', 'cellular', 'WiFi and cellular'];
  const many = names.map((name) => screen.getAllByRole('gridcell', { name }).length);
  expect(many).toEqual([2, 1, 1]);
  expect(screen.getAllByTitle(/whole entry comes by WiFi/)).toHaveLength(1);
});
