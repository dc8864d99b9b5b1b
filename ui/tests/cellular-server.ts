// The part of the server in memory that knows sources, quarantine, drops and data plans.
import type { Answer, Request } from '../src/lib/api/transport';
import type { Cell, DataPlan } from '../src/lib/cell/types';
import type { Dictionary } from '../src/lib/dictionaries/types';
import type { Drop, QuarantineWhole, Source, TestAnswer } from '../src/lib/sources/types';
import { aDictionary, aSource, noCell } from './cellular';

export class CellularServer {
  sources: Source[] = [];
  items: QuarantineWhole[] = [];
  drops: Drop[] = [];
  cell: Cell = noCell();
  plan: DataPlan = { monthly_bytes: 1_500_000, price_cents_per_mb: 50, currency: 'USD' };
  /** What a test of a connection answers; null: nothing, ever. */
  tested: TestAnswer | null = {
    ok: true,
    message: 'Signed in; 2 files.',
    code: null,
    fingerprint: null,
    files: 2,
    sample: ['a', 'b'],
  };
  dictionaries: Dictionary[] = [];
  /** A training ends when this does, and with this refusal if there is one. */
  trained: Promise<void> = Promise.resolve();
  untrained: { code: string; message: string } | null = null;
  /** What was sent, as it came. */
  sent: { method: string; path: string; body: unknown }[] = [];
  #next = 100;

  /** The answer, or null when the request is somebody else's. */
  async answer({ method, path, body }: Request): Promise<Answer | null> {
    const { pathname } = new URL(path, 'http://memory');
    if (!/sources|quarantine|drops|dictionar|cell$|data-plan/.test(pathname)) return null;
    if (method !== 'GET') this.sent.push({ method, path, body });
    const [, first, id, how] = pathname.split('/').slice(1);
    if (first === 'sources') return this.#source(method, id, how, body);
    if (first === 'quarantine') return this.#quarantine(id, how);
    if (first === 'drops') return json(200, { drops: this.drops, next: null });
    if (first === 'dictionaries') return this.#dictionary(method, id, how, body);
    if (pathname.endsWith('/cell')) return json(200, this.cell);
    if (method === 'DELETE') return { status: 204, body: '' };
    return json(200, method === 'PUT' ? body : this.plan);
  }

  async #source(method: string, id: string | undefined, how: string | undefined, body: unknown) {
    if (id === 'test') {
      if (!this.tested) await new Promise(() => {});
      return json(200, this.tested);
    }
    if (how === 'poll') return { status: 202, body: '{}' };
    if (method === 'GET') return json(200, { sources: this.sources });
    if (method === 'DELETE') {
      const gone = this.sources.find((source) => source.id === id);
      this.sources = this.sources.filter((source) => source.id !== id);
      return json(200, gone);
    }
    const made = aSource(id ?? `s${(this.#next += 1)}`, body as Partial<Source>);
    this.sources = [...this.sources.filter((source) => source.id !== id), made];
    return json(method === 'POST' ? 201 : 200, made);
  }

  async #dictionary(
    method: string,
    id: string | undefined,
    how: string | undefined,
    body: unknown,
  ) {
    if (method === 'GET') {
      const current = this.dictionaries.find((one) => one.is_current)?.id ?? null;
      return json(200, { dictionaries: this.dictionaries, current });
    }
    if (how === 'use') {
      this.dictionaries = this.dictionaries.map((one) => ({ ...one, is_current: one.id === id }));
      return json(
        200,
        this.dictionaries.find((one) => one.id === id),
      );
    }
    if (id !== 'train') return json(201, aDictionary('a1b2c3d4', { origin: 'uploaded' }));
    await this.trained;
    if (this.untrained) return json(409, this.untrained);
    const { make_current: isCurrent } = body as { make_current: boolean };
    const made = aDictionary('0badcafe', { origin: 'trained', entries: 12_034 });
    this.dictionaries = [{ ...made, is_current: isCurrent }, ...this.dictionaries];
    return json(201, this.dictionaries[0]);
  }

  #quarantine(id: string | undefined, how: string | undefined): Answer {
    const item = this.items.find((one) => `${one.id}` === id);
    if (how === 'retry') {
      this.items = this.items.filter((one) => one !== item);
      return json(200, { is_read: true, drops: 1, repeats: 0, item: null });
    }
    if (item && how === 'discard') item.discarded_at = item.arrived_at;
    if (item && how === 'restore') item.discarded_at = null;
    if (id) return json(200, item);
    const waiting = this.items.filter((one) => !one.discarded_at).length;
    return json(200, { items: this.items, waiting });
  }
}

function json(status: number, body: unknown): Answer {
  return { status, body: JSON.stringify(body) };
}
