// What the server says of itself: asked at the start and whenever it returns.
import type { Client } from '../api/client';
import type { LiveMessage } from '../api/transport';
import type { ServerInfo } from '../api/types';

export class Server {
  info = $state.raw<ServerInfo | null>(null);

  constructor(readonly client: Client) {}

  async load(): Promise<void> {
    try {
      this.info = await this.client.info();
    } catch {
      // The pages' own requests fail with it, and they say so.
    }
  }

  heard({ event }: LiveMessage): void {
    if (event === 'returned' || event === 'reset') void this.load();
  }
}
