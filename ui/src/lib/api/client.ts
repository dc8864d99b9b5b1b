// Every request the pages make, typed. Translates status codes; knows nothing of pages.
import { Refused } from './failure';
import type { Answer, Request, Transport } from './transport';
import type {
  AddedMachine,
  ContextAnswer,
  HistogramAnswer,
  LogPage,
  Machine,
  MachineKey,
  MachineList,
  NewMachine,
  PairingCode,
  ServerInfo,
} from './types';

export class Client {
  /** Called on every 401, so that the whole window can say how to sign in. */
  onSignedOut: () => void = () => {};

  constructor(readonly transport: Transport) {}

  machines(signal?: AbortSignal): Promise<MachineList> {
    return this.#get('/api/machines', signal);
  }

  machine(id: string, signal?: AbortSignal): Promise<Machine> {
    return this.#get(`/api/machines/${encodeURIComponent(id)}/status`, signal);
  }

  addMachine(machine: NewMachine): Promise<AddedMachine> {
    return this.#ask({ method: 'POST', path: '/api/machines', body: machine });
  }

  /** A further key, to be brought to the machine by hand; the one in use stays valid. */
  rotateKey(id: string): Promise<MachineKey> {
    const path = `/api/machines/${encodeURIComponent(id)}/rotate-key`;
    return this.#ask({ method: 'POST', path, body: { by: 'answer' } });
  }

  /** The machine takes a new key with its next heartbeat; nobody else sees it. */
  async rotateKeyByHeartbeat(id: string): Promise<void> {
    const path = `/api/machines/${encodeURIComponent(id)}/rotate-key`;
    await this.#ask({ method: 'POST', path, body: { by: 'heartbeat' } });
  }

  /** A code for `vendlog-agent pair`; `url`: how the machine reaches this server. */
  makePairingCode(id: string, url: string | null): Promise<PairingCode> {
    const path = `/api/machines/${encodeURIComponent(id)}/pairing-code`;
    return this.#ask({ method: 'POST', path, body: url ? { url } : {} });
  }

  async removeMachine(id: string): Promise<void> {
    await this.#ask({ method: 'DELETE', path: `/api/machines/${encodeURIComponent(id)}` });
  }

  logs(query: URLSearchParams, signal?: AbortSignal): Promise<LogPage> {
    return this.#get(`/api/logs?${query}`, signal);
  }

  histogram(query: URLSearchParams, signal?: AbortSignal): Promise<HistogramAnswer> {
    return this.#get(`/api/logs/histogram?${query}`, signal);
  }

  context(id: string, before: number, after: number, signal?: AbortSignal): Promise<ContextAnswer> {
    const query = new URLSearchParams({ id, before: `${before}`, after: `${after}` });
    return this.#get(`/api/logs/context?${query}`, signal);
  }

  async components(machines: string[], signal?: AbortSignal): Promise<string[]> {
    const query = new URLSearchParams(machines.map((id) => ['machine', id]));
    const answer = await this.#get<{ components: string[] }>(
      `/api/logs/components?${query}`,
      signal,
    );
    return answer.components;
  }

  info(signal?: AbortSignal): Promise<ServerInfo> {
    return this.#get('/api/info', signal);
  }

  #get<T>(path: string, signal?: AbortSignal): Promise<T> {
    return this.#ask(signal ? { method: 'GET', path, signal } : { method: 'GET', path });
  }

  async #ask<T>(request: Request): Promise<T> {
    const answer = await this.transport.send(request);
    // No content is no JSON either; only callers that expect nothing get there.
    if (answer.status === 204) return undefined as T;
    if (answer.status >= 200 && answer.status < 300) return JSON.parse(answer.body) as T;
    if (answer.status === 401) this.onSignedOut();
    throw refusal(answer);
  }
}

function refusal(answer: Answer): Refused {
  try {
    const { code, message } = JSON.parse(answer.body) as { code?: string; message?: string };
    if (code && message) return new Refused(answer.status, code, message);
  } catch {
    // Not our JSON: a proxy's page, or nothing at all.
  }
  const message = `The server answered with status ${answer.status} and no reason.`;
  return new Refused(answer.status, 'no_reason', message);
}
