// A Vendlog server in memory, behind the same seam as the real ones: it keeps entries, pages them
// by cursor and tells of new ones.
import { Unreachable } from '../src/lib/api/failure';
import type { Answer, LiveHandlers, Request, Transport } from '../src/lib/api/transport';
import { LEVELS, type LogEntry, type Machine } from '../src/lib/api/types';
import { compareEntries } from '../src/lib/logs/merge';
import { AlertServer } from './alert-server';
import { CellularServer } from './cellular-server';

/** When the tests began, to the second: ranges such as "the last 24 hours" end there. */
export const NOW = Math.floor(Date.now() / 1000) * 1000;

/** What hostile machines write into every field that is shown. */
export const HOSTILE = [
  '<img src=x onerror="window.hit=1">',
  '<script>window.hit=1</script>',
  '"><svg onload=window.hit=1>',
  'javascript:window.hit=1',
  '{{constructor.constructor("window.hit=1")()}}',
  '\u001b[2J\u001b[31mowned',
  '\u202eexe.gnp\u2066',
];

export function anEntry(seq: number, part: Partial<LogEntry> = {}): LogEntry {
  const at = new Date(NOW - 3_600_000 + seq * 1000).toISOString();
  return {
    id: `e${seq}`,
    machine_id: 'VM001',
    epoch: 1,
    seq,
    timestamp: at,
    received_at: at,
    filed_at: part.filed_at ?? at,
    level: 'INFO',
    component: 'payment',
    message: `line ${seq}`,
    context: {},
    clock: 'synced',
    path: 'wifi',
    fidelity: 'full',
    template: 'line <n>',
    params: [[5, 5 + String(seq).length]],
    ...part,
  };
}

export function aMachine(id: string, part: Partial<Machine> = {}): Machine {
  return {
    machine_id: id,
    name: `Machine ${id}`,
    location: '',
    timezone: 'UTC',
    site: '',
    route: '',
    tags: [],
    owner: '',
    opening_hours: '',
    reader_serials: [],
    created_at: new Date(NOW).toISOString(),
    status: 'green',
    state: 'online',
    reason: 'In contact by WiFi.',
    last_contact: { wifi: new Date(NOW - 12_000).toISOString(), cell: null },
    links: { wifi: 'up', cell: 'none' },
    last_heartbeat: null,
    errors_1h: 0,
    warnings_1h: 0,
    errors_24h: 0,
    warnings_24h: 0,
    alerts: { firing: 0, acknowledged: 0, acknowledged_by: [] },
    error_count: 0,
    hours: Array.from({ length: 24 }, () => [0, 0, 0, 0, 0]),
    uptime_s: null,
    agent_version: null,
    heartbeat: null,
    ...part,
  };
}

type Fate = 'answers' | 'fails' | 'hangs' | 'signed out' | 'unreachable';

export class MemoryServer implements Transport {
  readonly kind = 'browser';
  readonly saveExport = null;
  entries: LogEntry[] = [];
  machines: Machine[] = [];
  /** What was changed of machines, as it came. */
  changes: { id: string; change: object }[] = [];
  fate: Fate = 'answers';
  /** When set, a page ends after so many entries and says how far it searched. */
  budget = Infinity;
  asked: string[] = [];
  #live = new Set<LiveHandlers>();
  #events = 0;

  readonly cellular = new CellularServer();
  readonly alerting = new AlertServer();

  async send(request: Request): Promise<Answer> {
    const { method, path, body, signal } = request;
    this.asked.push(path);
    if (this.fate === 'hangs') await new Promise(() => {});
    if (this.fate === 'unreachable') throw new Unreachable('cut');
    if (this.fate === 'signed out') return json(401, { code: 'no_session', message: 'Sign in.' });
    if (this.fate === 'fails') {
      return json(500, { code: 'store_damaged', message: 'A day file is damaged. Run verify.' });
    }
    const answer =
      (await this.alerting.answer(request)) ??
      (await this.cellular.answer(request)) ??
      (method === 'PATCH'
        ? this.#patch(path, body as object)
        : method === 'POST'
          ? this.#change(path, body)
          : this.#answer(new URL(path, 'http://memory')));
    await Promise.resolve();
    if (signal?.aborted) throw new DOMException('called off', 'AbortError');
    return answer;
  }

  listen(_after: string | null, handlers: LiveHandlers): () => void {
    this.#live.add(handlers);
    handlers.opened();
    return () => this.#live.delete(handlers);
  }

  /** Stores entries and tells of them, as one batch. */
  store(...entries: LogEntry[]): void {
    this.entries = [...this.entries, ...entries].sort(compareEntries);
    const times = entries.map(({ filed_at }) => filed_at).sort();
    const worst = entries.reduce((most, { level }) => Math.max(most, LEVELS.indexOf(level)), 0);
    this.tell('entries', {
      machine_id: entries[0]?.machine_id,
      count: entries.length,
      from: times[0],
      to: times.at(-1),
      worst: LEVELS[worst],
    });
  }

  tell(event: string, data: unknown): void {
    this.#events += 1;
    for (const { message } of this.#live) message({ id: `boot-${this.#events}`, event, data });
  }

  cut(): void {
    for (const handlers of [...this.#live]) handlers.lost();
  }

  #answer({ pathname, searchParams: query }: URL): Answer {
    if (pathname === '/api/machines') {
      return json(200, { machines: this.machines, as_of: new Date(NOW).toISOString() });
    }
    if (pathname === '/api/logs') return json(200, this.#page(query));
    if (pathname === '/api/logs/histogram') {
      const found = this.#found(query);
      const bins = [LEVELS.map((level) => found.filter((entry) => entry.level === level).length)];
      const [from, to] = [new Date(NOW - 86_400_000), new Date(NOW)].map((at) => at.toISOString());
      return json(200, { from, to, step_ms: 86_400_000, levels: LEVELS, bins, exact: true });
    }
    if (pathname === '/api/logs/context') {
      const index = this.entries.findIndex(({ id }) => id === query.get('id'));
      const first = Math.max(0, index - Number(query.get('before')));
      const entries = this.entries.slice(first, index + 1 + Number(query.get('after')));
      return json(200, { entries, index: index - first, template_count_on_day: 47 });
    }
    if (pathname === '/api/logs/components') return json(200, { components: ['motor', 'payment'] });
    return json(200, { version: '0.1.0', url: null, pin: null, listen_error: null });
  }

  #change(path: string, body: unknown): Answer {
    const [, machine_id, what] = /^\/api\/machines\/([^/]+)\/(.+)$/.exec(path) ?? [];
    if (!machine_id) return this.#add(body as { machine_id: string });
    if (what === 'pairing-code') {
      const { url = 'https://ops:4433' } = body as { url?: string };
      if (!url.startsWith('https://')) {
        return json(400, { code: 'bad_field', message: 'field "url" must be https://HOST' });
      }
      const pairing_code = `VLP1-for-${machine_id}`;
      return json(201, { machine_id, pairing_code, expires_at: new Date(NOW).toISOString() });
    }
    const { by } = body as { by: string };
    if (by === 'heartbeat') {
      return json(202, { machine_id, asked_at: new Date(NOW).toISOString() });
    }
    return json(200, { machine_id, api_key: 'vl_new_secret' });
  }

  #patch(path: string, change: object): Answer {
    const id = path.split('/').at(-1) ?? '';
    this.changes.push({ id, change });
    this.machines = this.machines.map((one) =>
      one.machine_id === id ? { ...one, ...change } : one,
    );
    return json(
      200,
      this.machines.find((one) => one.machine_id === id),
    );
  }

  #add({ machine_id }: { machine_id: string }): Answer {
    if (this.machines.some((machine) => machine.machine_id === machine_id)) {
      return json(409, { code: 'machine_exists', message: 'There is such a machine.' });
    }
    this.machines = [...this.machines, aMachine(machine_id, { status: 'grey' })];
    const agent_toml = `machine_id = "${machine_id}"\n`;
    return json(201, {
      machine_id,
      api_key: 'vl_abc_secret',
      pairing_code: 'VLP1-first',
      agent_toml,
    });
  }

  #found(query: URLSearchParams): LogEntry[] {
    const machines = query.getAll('machine');
    const least = LEVELS.indexOf((query.get('level') ?? 'DEBUG') as LogEntry['level']);
    return this.entries.filter(
      ({ machine_id, level, filed_at, message }) =>
        (machines.length === 0 || machines.includes(machine_id)) &&
        LEVELS.indexOf(level) >= least &&
        filed_at >= (query.get('from') ?? '') &&
        filed_at < (query.get('to') ?? '~') &&
        message.includes(query.get('q') ?? ''),
    );
  }

  #page(query: URLSearchParams): unknown {
    const found = this.#found(query);
    const entries = query.get('order') === 'asc' ? found : found.reverse();
    const after = query.get('cursor');
    const start = after ? entries.findIndex(({ id }) => id === after) + 1 : 0;
    const limit = Math.min(Number(query.get('limit')), this.budget);
    const page = entries.slice(start, start + limit);
    const more = start + limit < entries.length;
    const isCut = more && this.budget < Number(query.get('limit'));
    return {
      entries: page,
      next: more ? page.at(-1)?.id : null,
      searched_to: isCut ? page.at(-1)?.filed_at : null,
    };
  }
}

function json(status: number, body: unknown): Answer {
  return { status, body: JSON.stringify(body) };
}
