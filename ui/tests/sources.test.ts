import { screen, waitFor, within } from '@testing-library/svelte';
import userEvent from '@testing-library/user-event';
import { expect, test } from 'vitest';

import { anItem, aSource, failing } from './cellular';
import { MemoryServer } from './server';
import { openAt } from './window';

function serverOf(...sources: ReturnType<typeof aSource>[]): MemoryServer {
  const server = new MemoryServer();
  server.cellular.sources = sources;
  return server;
}

const row = (id: string) => document.querySelector<HTMLElement>(`[data-source="${id}"]`);
const last = (server: MemoryServer) => server.cellular.sent.at(-1);

test('a source says where it is, how it is and when it is asked next', async () => {
  openAt('/sources', serverOf(aSource('s1', { name: 'USALive' })));
  expect(await screen.findByText('The source is well')).toBeTruthy();
  const text = row('s1')?.textContent ?? '';
  expect(text).toContain('FTP ftp.example.com/out, every 60 s');
  expect(text).toMatch(/in 4\d s/);
  expect(text).toContain('30');
});

test('what fails is said first, with its cause, and counted in the rail', async () => {
  const words = 'The sign-in was refused; check user and password.';
  const server = serverOf(aSource('s1'), failing('s2', words));
  openAt('/sources', server);
  expect(await screen.findByText('1 of 2 sources is failing')).toBeTruthy();
  expect(screen.getAllByText(words).length).toBeGreaterThan(0);
  expect(screen.getByText('Failing for 2 h 10 min')).toBeTruthy();
  expect(screen.getByRole('link', { name: /Sources 1 failing source, 0 files/ })).toBeTruthy();
});

test('the first start says how drops get here and what USALive must be told', async () => {
  openAt('/sources', serverOf());
  expect(await screen.findByText('No source of drops yet')).toBeTruthy();
  expect(screen.getByText(/Report Register, add a transport/)).toBeTruthy();
  await userEvent.click(screen.getByRole('link', { name: /FTP or FTPS/ }));
  expect(await screen.findByLabelText('Server')).toBeTruthy();
  expect(location.search).toBe('?new=ftp');
});

test('a source is added with what was typed and nothing else', async () => {
  const server = serverOf();
  openAt('/sources?new=ftp', server);
  await userEvent.type(await screen.findByLabelText('Name'), 'Seed Live');
  await userEvent.type(screen.getByLabelText('Server'), 'ftp.example.com');
  await userEvent.type(screen.getByLabelText('User'), 'vend');
  await userEvent.type(screen.getByLabelText('Password'), 'hunter2');
  await userEvent.click(screen.getByRole('button', { name: 'Add source' }));
  expect(await screen.findByText('Seed Live is added.')).toBeTruthy();
  expect(last(server)?.body).toEqual({
    name: 'Seed Live',
    kind: 'ftp',
    enabled: true,
    config: {
      host: 'ftp.example.com',
      tls: 'explicit',
      user: 'vend',
      password: 'hunter2',
      pattern: '*',
      after: 'keep',
      interval_s: 60,
      timeout_s: 20,
    },
  });
  expect(location.search).toBe('');
});

test('what is wrong with a field stands beside it, and nothing is sent', async () => {
  const server = serverOf();
  openAt('/sources?new=ftp', server);
  const host = await screen.findByLabelText<HTMLInputElement>('Server');
  await userEvent.type(host, 'ftp://example.com/out');
  await userEvent.tab();
  expect(screen.getByText(/Only the name or address/)).toBeTruthy();
  await userEvent.click(screen.getByRole('button', { name: 'Add source' }));
  expect(screen.getByText('User is needed.')).toBeTruthy();
  expect(screen.getByText('A name is needed: the list and errors use it.')).toBeTruthy();
  expect(server.cellular.sent).toEqual([]);
});

test('a kept secret is never shown, and stays unless another is entered', async () => {
  const server = serverOf(aSource('s1', { name: 'USALive' }));
  openAt('/sources?edit=s1', server);
  const password = await screen.findByLabelText<HTMLInputElement>('Password');
  expect(password.value).toBe('');
  expect(screen.getByText('Kept. Enter one to replace it.')).toBeTruthy();
  await userEvent.click(screen.getByRole('button', { name: 'Save' }));
  await screen.findByText('USALive is changed.');
  expect(last(server)?.body).toMatchObject({ config: { host: 'ftp.example.com' } });
  expect(JSON.stringify(last(server)?.body)).not.toMatch(/password|kind.*kind/);
});

test('for another server the password is asked for again', async () => {
  openAt('/sources?edit=s1', serverOf(aSource('s1')));
  await userEvent.type(await screen.findByLabelText('Server'), '.elsewhere.org');
  await userEvent.click(screen.getByRole('button', { name: 'Save' }));
  expect(screen.getByText(/Password is needed again: it was given for another/)).toBeTruthy();
});

test('a test tells what was found; it can be called off while it runs', async () => {
  const server = serverOf(aSource('s1'));
  const answer = server.cellular.tested;
  server.cellular.tested = null;
  openAt('/sources?source=s1', server);
  await userEvent.click(await screen.findByRole('button', { name: 'Test connection' }));
  await userEvent.click(await screen.findByRole('button', { name: 'Cancel' }));
  expect(screen.getByText('Cancelled. Nothing was changed.')).toBeTruthy();
  server.cellular.tested = answer;
  await userEvent.click(screen.getByRole('button', { name: 'Test connection' }));
  expect(await screen.findByText('It works.')).toBeTruthy();
  expect(screen.getByRole('list', { name: 'Files found' }).textContent).toContain('a');
});

test('the key that an SSH server shows is taken over once a person accepts it', async () => {
  const server = serverOf();
  const fingerprint = 'SHA256:abcdefghijklmnopqrstuvwxyz';
  server.cellular.tested = {
    ok: false,
    message: 'Not known yet.',
    code: 'host_key',
    fingerprint,
    files: 0,
    sample: [],
  };
  openAt('/sources?new=sftp', server);
  await userEvent.type(await screen.findByLabelText('Server'), 'sftp.example.com');
  await userEvent.type(screen.getByLabelText('User'), 'vend');
  await userEvent.type(screen.getByLabelText('Password'), 'x');
  await userEvent.click(screen.getByRole('button', { name: 'Test connection' }));
  await userEvent.click(await screen.findByRole('button', { name: /accept it/ }));
  const key = screen.getByLabelText<HTMLInputElement>('Key of the server');
  expect(key.value).toBe(fingerprint);
  await waitFor(() =>
    expect(last(server)?.body).toMatchObject({ config: { host_key: fingerprint } }),
  );
});

test('HTTP POST shows what to enter at USALive', async () => {
  openAt('/sources?new=http', serverOf());
  await screen.findByLabelText('Password');
  await userEvent.click(screen.getByRole('button', { name: 'Make one' }));
  const told = screen.getByRole('region', { name: 'What to enter at USALive' });
  expect(within(told).getByText(/\/api\/drops$/)).toBeTruthy();
  expect(within(told).getByText(/^[A-Za-z2-9]{24}$/)).toBeTruthy();
});

test('a deleted source comes back with undo', async () => {
  const server = serverOf(aSource('s1', { name: 'USALive' }), aSource('s2'));
  openAt('/sources?source=s1', server);
  await userEvent.click(await screen.findByRole('button', { name: 'Delete' }));
  expect(await screen.findByText('USALive is deleted. What it brought stays.')).toBeTruthy();
  await waitFor(() => expect(row('s1')).toBeNull());
  await userEvent.click(screen.getByRole('button', { name: 'Undo' }));
  expect(await screen.findByText('USALive')).toBeTruthy();
});

test('a source is turned off without losing anything', async () => {
  const server = serverOf(aSource('s1', { name: 'USALive' }));
  openAt('/sources?source=s1', server);
  await userEvent.click(await screen.findByRole('button', { name: 'Turn off' }));
  expect(await screen.findByText('USALive is off: nothing is fetched from it.')).toBeTruthy();
  const config: Record<string, unknown> = { ...aSource('s1').config };
  expect(config['password']).toBe('***');
  delete config['password'];
  delete config['kind'];
  expect(last(server)?.body).toEqual({ name: 'USALive', kind: 'ftp', enabled: false, config });
});

test('the keyboard moves, opens, edits, tests and begins a new one', async () => {
  const server = serverOf(aSource('s1'), aSource('s2'));
  openAt('/sources', server);
  await waitFor(() => expect(row('s2')).toBeTruthy());
  await userEvent.keyboard('jj{Enter}');
  expect(location.search).toBe('?source=s2');
  await userEvent.keyboard('t');
  expect(await screen.findByText('It works.')).toBeTruthy();
  expect(last(server)?.body).toEqual({ id: 's2' });
  await userEvent.keyboard('{Escape}');
  expect(location.search).toBe('');
  await userEvent.keyboard('e');
  expect(location.search).toBe('?edit=s2');
  history.back();
  await waitFor(() => expect(location.search).toBe(''));
  await userEvent.keyboard('n');
  expect(await screen.findByText(/How does USALive hand over/)).toBeTruthy();
});

test('loading shows the shape of what comes, an error its cause', async () => {
  const server = serverOf();
  server.fate = 'hangs';
  openAt('/sources', server);
  expect(await screen.findByRole('status', { name: 'Loading the sources' })).toBeTruthy();
});

test('an error names the cause, and trying again helps when it is gone', async () => {
  const server = serverOf(aSource('s1', { name: 'USALive' }));
  server.fate = 'fails';
  openAt('/sources', server);
  expect(
    (await screen.findByText('Could not load the sources')).parentElement?.textContent,
  ).toContain('A day file is damaged. Run verify.');
  server.fate = 'answers';
  await userEvent.click(screen.getByRole('button', { name: 'Try again' }));
  expect(await screen.findByText('USALive')).toBeTruthy();
});

test('a source that begins to fail is seen at once, and so is a file in quarantine', async () => {
  const server = serverOf(aSource('s1'));
  openAt('/', server);
  await screen.findByRole('link', { name: 'Sources' });
  server.cellular.sources = [failing('s1', 'Refused.')];
  server.tell('source', { source_id: 's1' });
  expect(
    await screen.findByRole('link', { name: /Sources 1 failing source, 0 files/ }),
  ).toBeTruthy();
  server.cellular.items = [anItem(1)];
  server.tell('quarantine', {});
  expect(await screen.findByRole('link', { name: /1 failing source, 1 file in/ })).toBeTruthy();
});

test('a file that an HTTP transport tested with is said with its time', async () => {
  const http = aSource('s1', {
    kind: 'http',
    config: { kind: 'http', user: 'usalive', password: '***' },
  });
  http.status = { ...http.status, tested_at: http.status.last_success_at };
  openAt('/sources?source=s1', serverOf(http));
  expect(await screen.findByText(/^Test call seen \d\d:\d\d$/)).toBeTruthy();
  expect(screen.getByText('Kept, and not shown again.')).toBeTruthy();
  expect(screen.queryByRole('button', { name: 'Ask now' })).toBeNull();
});
