// Opens the whole window at an address, against a server in memory.
import { render } from '@testing-library/svelte';
import { onTestFinished } from 'vitest';

import App from '../src/App.svelte';
import { Session } from '../src/lib/app/session.svelte';
import type { MemoryServer } from './server';

export function openAt(address: string, server: MemoryServer): Session {
  history.replaceState(null, '', address);
  localStorage.clear();
  const session = new Session(server);
  onTestFinished(session.start());
  render(App, { props: { session } });
  return session;
}
