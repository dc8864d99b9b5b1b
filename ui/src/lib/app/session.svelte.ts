// What every page shares: the way to the server, the address, the live stream, the fleet.
import { getContext, setContext } from 'svelte';

import { AlertsState } from '../alerts/alerts.svelte';
import { Client } from '../api/client';
import type { LiveMessage, Transport } from '../api/transport';
import { DictionariesState } from '../dictionaries/dictionaries.svelte';
import { FleetState } from '../fleet/fleet.svelte';
import { Live } from '../live/live.svelte';
import { Router } from '../route/router.svelte';
import { SourcesState } from '../sources/sources.svelte';
import { Clock } from './clock.svelte';
import { Server } from './server.svelte';
import { Theme } from './theme.svelte';

const KEY = Symbol('session');

export class Session {
  readonly client: Client;
  readonly live: Live;
  readonly router = new Router();
  readonly clock = new Clock();
  readonly theme = new Theme();
  readonly fleet: FleetState;
  readonly alerts: AlertsState;
  readonly sources: SourcesState;
  readonly dictionaries: DictionariesState;
  readonly server: Server;
  /** No valid session: nothing can be shown but how to get one. */
  signedOut = $state(false);

  constructor(transport: Transport) {
    this.client = new Client(transport);
    this.client.onSignedOut = () => (this.signedOut = true);
    this.live = new Live(transport);
    this.fleet = new FleetState(this.client, this.clock);
    this.alerts = new AlertsState(this.client);
    this.sources = new SourcesState(this.client);
    this.dictionaries = new DictionariesState(this.client);
    this.server = new Server(this.client);
  }

  /** Begins listening and loading. Returns how to end it. */
  start(): () => void {
    void this.server.load();
    const ends = [
      this.live.on((message) => this.#heard(message)),
      this.live.on((message) => this.fleet.heard(message)),
      this.live.on((message) => this.alerts.heard(message)),
      this.live.on((message) => this.sources.heard(message)),
      this.live.on((message) => this.server.heard(message)),
      this.router.start(),
      this.clock.start(),
      this.live.start(),
      this.fleet.start(),
      this.alerts.start(),
      this.sources.start(),
    ];
    return () => ends.forEach((end) => end());
  }

  #heard({ event, data }: LiveMessage): void {
    const said = (data ?? {}) as { server_time?: string; path?: string };
    if (event === 'tick' && said.server_time) this.clock.set(said.server_time);
    if (event === 'navigate' && said.path?.startsWith('/')) this.router.go(said.path);
  }
}

export function provideSession(session: Session): void {
  setContext(KEY, session);
}

export function useSession(): Session {
  return getContext<Session>(KEY);
}
