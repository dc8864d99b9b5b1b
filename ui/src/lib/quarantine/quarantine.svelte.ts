// The files that could not be read, as last heard from the server. Knows no page.
import type { Client } from '../api/client';
import { describe, type Failure, Refused, wasAborted } from '../api/failure';
import type { QuarantineItem } from '../sources/types';

const REFRESH_MS = 10_000;

export class QuarantineState {
  items = $state.raw<QuarantineItem[]>([]);
  phase = $state<'loading' | 'ready' | 'error'>('loading');
  failure = $state.raw<Failure | null>(null);

  constructor(readonly client: Client) {}

  watch(): () => void {
    void this.load();
    const refresh = setInterval(() => void this.load(), REFRESH_MS);
    return () => clearInterval(refresh);
  }

  async load(): Promise<void> {
    try {
      this.items = (await this.client.quarantine({ discarded: true })).items;
      this.phase = 'ready';
      this.failure = null;
    } catch (error) {
      if (wasAborted(error)) return;
      if (error instanceof Refused && error.status === 401) return;
      this.failure = describe(error, 'the quarantine');
      if (this.phase === 'loading') this.phase = 'error';
    }
  }
}
