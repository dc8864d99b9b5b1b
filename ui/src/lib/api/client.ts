// Every request the pages make, typed. Translates status codes; knows nothing of pages.
import type {
  DropList,
  QuarantineList,
  QuarantineWhole,
  RetryAnswer,
  Source,
  SourceChange,
  TestAnswer,
} from '../sources/types';
import { AlertsClient } from '../alerts/client';
import type { Cell, DataPlan } from '../cell/types';
import type { Dictionary, DictionaryList } from '../dictionaries/types';
import { withQuery } from '../route/paths';
import { Refused } from './failure';
import type { Answer, Request, Transport } from './transport';
import type {
  AddedMachine,
  ContextAnswer,
  HistogramAnswer,
  LogPage,
  Machine,
  MachineChange,
  MachineKey,
  MachineList,
  NewMachine,
  PairingCode,
  ServerInfo,
} from './types';

export interface QuarantineQuery {
  limit?: number;
  /** What was discarded, too. */
  discarded?: boolean;
}

export class Client {
  /** Called on every 401, so that the whole window can say how to sign in. */
  onSignedOut: () => void = () => {};

  readonly alerts = new AlertsClient((request) => this.#ask(request));

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

  /** What is absent stays; the id cannot be changed. */
  changeMachine(id: string, change: MachineChange): Promise<Machine> {
    const path = `/api/machines/${encodeURIComponent(id)}`;
    return this.#ask({ method: 'PATCH', path, body: change });
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

  sources(): Promise<{ sources: Source[] }> {
    return this.#get('/api/sources');
  }

  addSource(source: SourceChange): Promise<Source> {
    return this.#ask({ method: 'POST', path: '/api/sources', body: source });
  }

  changeSource(id: string, source: SourceChange): Promise<Source> {
    return this.#ask({ method: 'PUT', path: sourcePath(id), body: source });
  }

  /** Answers what was deleted, so that it can be brought back. */
  deleteSource(id: string): Promise<Source> {
    return this.#ask({ method: 'DELETE', path: sourcePath(id) });
  }

  /** Tries a source as it is kept, or as it would be with the changes. Changes nothing anywhere. */
  testSource(
    what: { id: string } | (SourceChange & { id?: string }),
    signal: AbortSignal,
  ): Promise<TestAnswer> {
    return this.#ask({ method: 'POST', path: '/api/sources/test', body: what, signal });
  }

  async pollSource(id: string): Promise<void> {
    await this.#ask({ method: 'POST', path: `${sourcePath(id)}/poll` });
  }

  quarantine(query: QuarantineQuery = {}, signal?: AbortSignal): Promise<QuarantineList> {
    const asked = new URLSearchParams();
    if (query.limit !== undefined) asked.set('limit', `${query.limit}`);
    if (query.discarded) asked.set('discarded', 'true');
    return this.#get(withQuery('/api/quarantine', asked), signal);
  }

  quarantined(id: number, signal?: AbortSignal): Promise<QuarantineWhole> {
    return this.#get(`/api/quarantine/${id}`, signal);
  }

  /** Reads it again. What still cannot be read stays, with the reason of this try. */
  retryQuarantined(id: number): Promise<RetryAnswer> {
    return this.#ask({ method: 'POST', path: `/api/quarantine/${id}/retry` });
  }

  /** Puts it away, or takes it back. */
  async setDiscarded(id: number, isDiscarded: boolean): Promise<void> {
    const how = isDiscarded ? 'discard' : 'restore';
    await this.#ask({ method: 'POST', path: `/api/quarantine/${id}/${how}` });
  }

  drops(query: URLSearchParams, signal?: AbortSignal): Promise<DropList> {
    return this.#get(`/api/drops?${query}`, signal);
  }

  dictionaries(): Promise<DictionaryList> {
    return this.#get('/api/dictionaries');
  }

  /** Brings a dictionary as a file: drops that wait for it are read. */
  addDictionary(file: Uint8Array<ArrayBuffer>): Promise<Dictionary> {
    return this.#ask({ method: 'POST', path: '/api/dictionaries', body: file });
  }

  /** Makes one from the logs of the last days; `give`: machines are given it. It takes its time. */
  trainDictionary(days: number, give: boolean, signal: AbortSignal): Promise<Dictionary> {
    const body = { days, make_current: give };
    return this.#ask({ method: 'POST', path: '/api/dictionaries/train', body, signal });
  }

  /** Machines are given this one from now on. */
  useDictionary(id: string): Promise<Dictionary> {
    const path = `/api/dictionaries/${encodeURIComponent(id)}/use`;
    return this.#ask({ method: 'POST', path });
  }

  cell(machine: string, signal?: AbortSignal): Promise<Cell> {
    return this.#get(`/api/machines/${encodeURIComponent(machine)}/cell`, signal);
  }

  dataPlan(): Promise<DataPlan> {
    return this.#get('/api/data-plan');
  }

  /** Of one machine, or (null) of every machine that has none of its own. */
  async changeDataPlan(machine: string | null, plan: DataPlan): Promise<void> {
    await this.#ask({ method: 'PUT', path: planPath(machine), body: plan });
  }

  /** The machine has the fleet's plan again. */
  async dropDataPlan(machine: string): Promise<void> {
    await this.#ask({ method: 'DELETE', path: planPath(machine) });
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

function sourcePath(id: string): string {
  return `/api/sources/${encodeURIComponent(id)}`;
}

function planPath(machine: string | null): string {
  if (machine === null) return '/api/data-plan';
  return `/api/machines/${encodeURIComponent(machine)}/data-plan`;
}

function refusal(answer: Answer): Refused {
  try {
    const { code, message, wrong } = JSON.parse(answer.body) as Partial<Refused>;
    if (code && message) return new Refused(answer.status, code, message, wrong);
  } catch {
    // Not our JSON: a proxy's page, or nothing at all.
  }
  const message = `The server answered with status ${answer.status} and no reason.`;
  return new Refused(answer.status, 'no_reason', message);
}
