import { screen, waitFor } from '@testing-library/svelte';
import userEvent from '@testing-library/user-event';
import { expect, test } from 'vitest';

import { plain } from '../src/lib/logs/escape';
import { hexLines } from '../src/lib/quarantine/bytes';
import { anItem, aSource } from './cellular';
import { HOSTILE, MemoryServer } from './server';
import { openAt } from './window';

function serverOf(...items: ReturnType<typeof anItem>[]): MemoryServer {
  const server = new MemoryServer();
  server.cellular.sources = [aSource('s1', { name: 'USALive' })];
  server.cellular.items = items;
  return server;
}

const shown = () =>
  [...document.querySelectorAll('[data-item]')].map((row) => row.getAttribute('data-item'));

test('a file that could not be read says why, from where, and how it begins', async () => {
  openAt('/sources/quarantine', serverOf(anItem(1)));
  expect(await screen.findByText('file-1.txt')).toBeTruthy();
  expect(screen.getByText('from USALive')).toBeTruthy();
  expect(screen.getByText(/first line is not one of ours/)).toBeTruthy();
  expect(screen.getByText('VM009|1123-1402|E|payment|timeout|')).toBeTruthy();
  expect(screen.getByText('1 file waits in quarantine')).toBeTruthy();
});

test('hostile names and contents are only ever text', async () => {
  const items = HOSTILE.map((text, i) =>
    anItem(i, { name: text, reason: text, text, code: text.slice(0, 20) }),
  );
  const server = serverOf(...items);
  server.cellular.sources = [aSource('s1', { name: HOSTILE[0] ?? '' })];
  openAt('/sources/quarantine', server);
  await waitFor(() => expect(shown()).toHaveLength(HOSTILE.length));
  for (const [i, text] of HOSTILE.entries()) {
    history.replaceState(null, '', `/sources/quarantine?item=${i}`);
    dispatchEvent(new PopStateEvent('popstate'));
    await waitFor(() => {
      const held = screen.getByLabelText('What it holds').textContent;
      expect(held).toBe(plain(text));
    });
    expect(document.querySelector('main img, main script, main svg[onload]')).toBeNull();
    for (const hidden of ['\u001b', '\u202e', '\u2066']) {
      expect(document.body.textContent).not.toContain(hidden);
    }
  }
  expect((window as { hit?: number }).hit).toBeUndefined();
});

test('what is no text is shown by its bytes', async () => {
  const base64 = btoa('VM\u0000\u001b\u00ff');
  openAt(
    '/sources/quarantine?item=1',
    serverOf(anItem(1, { text: 'VM\u0000\u001b\ufffd', base64 })),
  );
  expect((await screen.findByLabelText('What it holds')).textContent).toBe(
    `00000000  56 4d 00 1b ff${' '.repeat(36)}VM...`,
  );
  await userEvent.click(screen.getByRole('button', { name: 'Wrapped' }));
  expect(screen.getByLabelText('What it holds').textContent).toBe('VM\\x00\\x1b\ufffd');
  expect(location.search).toBe('?item=1&as=wrapped');
});

test('bytes stand in lines of sixteen', () => {
  const lines = hexLines(Uint8Array.from({ length: 18 }, (_, i) => i + 0x41));
  expect(lines[0]).toMatch(/^00000000 {2}41 42 .* 48 {2}49 .* 50 {2}ABCDEFGHIJKLMNOP$/);
  expect(lines[1]).toMatch(/^00000010 {2}51 52 +QR$/);
});

test('a file of an unknown machine leads to adding that machine', async () => {
  const item = anItem(1, { code: 'unknown_machine', machine_id: 'VM009' });
  openAt('/sources/quarantine?item=1', serverOf(item));
  await userEvent.click(await screen.findByRole('link', { name: 'Add VM009' }));
  const id = await screen.findByLabelText<HTMLInputElement>(/Machine id/);
  expect(id.value).toBe('VM009');
});

test('a missing dictionary can be uploaded', async () => {
  const server = serverOf(anItem(1, { code: 'unknown_dictionary', dictionary: 'a1b2c3d4' }));
  openAt('/sources/quarantine?item=1', server);
  const field = await screen.findByLabelText('Dictionary file');
  await userEvent.upload(field, new File([new Uint8Array([1, 2, 250])], 'fleet.dict'));
  expect(await screen.findByText(/Dictionary a1b2c3d4 is here/)).toBeTruthy();
});

test('a discarded file is out of the way, and comes back with undo', async () => {
  openAt('/sources/quarantine?item=1', serverOf(anItem(1), anItem(2)));
  await userEvent.click(await screen.findByRole('button', { name: 'Discard' }));
  await screen.findByText('file-1.txt is discarded. It is kept for seven days.');
  await waitFor(() => expect(shown()).toEqual(['2']));
  await userEvent.click(screen.getByRole('button', { name: 'Undo' }));
  await waitFor(() => expect(shown()).toEqual(['1', '2']));
});

test('a file can be read again', async () => {
  openAt('/sources/quarantine?item=1', serverOf(anItem(1)));
  await userEvent.click(await screen.findByRole('button', { name: 'Read again' }));
  expect(await screen.findByText('Nothing waits here')).toBeTruthy();
});

test('recent drops say what they held', async () => {
  const server = serverOf();
  const drop = {
    machine_id: 'VM001',
    epoch: 7,
    number: 18,
    name: 'VM001-7-18.txt',
    source: 's1',
    form: 'dense' as const,
    arrived_at: new Date().toISOString(),
    made_at: null,
    size_bytes: 612,
    entries: 15,
    accepted: 12,
    upgraded: 0,
    duplicates: 3,
    left_out: 5,
    repeats: 1,
    is_conflict: false,
  };
  server.cellular.drops = [drop];
  openAt('/sources/drops', server);
  expect(await screen.findByText('VM001-7-18.txt')).toBeTruthy();
  expect(screen.getByText(/12 new, 3 known already; 5 did not fit/)).toBeTruthy();
  expect(screen.getByText('dense, from USALive')).toBeTruthy();
});
