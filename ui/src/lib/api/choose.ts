// Picks the way in. The shell's code is loaded only inside the shell.
import { BrowserTransport } from './browser';
import type { Transport } from './transport';

export async function chooseTransport(): Promise<Transport> {
  if (!('__TAURI_INTERNALS__' in window)) return new BrowserTransport();
  const { WindowTransport } = await import('./window');
  return new WindowTransport();
}
