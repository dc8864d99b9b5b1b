// Sources, quarantine and cellular facts as a server would answer them, for the tests.
import type { Cell } from '../src/lib/cell/types';
import type { Dictionary } from '../src/lib/dictionaries/types';
import type { QuarantineWhole, Source } from '../src/lib/sources/types';
import { NOW } from './server';

const ago = (seconds: number) => new Date(NOW - seconds * 1000).toISOString();

export function aSource(id: string, part: Partial<Source> = {}): Source {
  return {
    id,
    name: `Source ${id}`,
    kind: 'ftp',
    enabled: true,
    config: {
      kind: 'ftp',
      host: 'ftp.example.com',
      tls: 'none',
      user: 'vend',
      folder: '/out',
      pattern: '*.txt',
      after: 'move',
      move_to: 'done',
      interval_s: 60,
      timeout_s: 20,
      password: '***',
    },
    has_secret: true,
    ...part,
    status: {
      state: 'ok',
      last_poll_at: ago(18),
      next_poll_at: new Date(NOW + 42_000).toISOString(),
      last_success_at: ago(18),
      failing_since: null,
      error: null,
      files_taken: 12,
      drops_taken: 30,
      quarantined: 0,
      last_file_at: ago(600),
      is_polling: false,
      tested_at: null,
      passed_over: 0,
      troubles: [],
      ...part.status,
    },
  };
}

export function failing(id: string, message: string): Source {
  const fine = aSource(id);
  const status = {
    state: 'failing',
    failing_since: ago(7800),
    error: { code: 'refused', message },
  };
  return { ...fine, status: { ...fine.status, ...status } as Source['status'] };
}

export function aDictionary(id: string, part: Partial<Dictionary> = {}): Dictionary {
  return {
    id,
    origin: 'shipped',
    created_at: ago(7200),
    entries: 0,
    size_bytes: 12_600,
    is_current: false,
    machines: 0,
    ...part,
  };
}

export function anItem(id: number, part: Partial<QuarantineWhole> = {}): QuarantineWhole {
  const text = part.text ?? 'VM009|1123-1402|E|payment|timeout|';
  return {
    id,
    source: 's1',
    name: `file-${id}.txt`,
    repeats: 0,
    arrived_at: ago(120),
    size_bytes: 34,
    code: 'not_a_drop',
    reason: 'This is no drop: the first line is not one of ours.',
    machine_id: null,
    dictionary: null,
    discarded_at: null,
    preview: text.slice(0, 300),
    base64: btoa(unescape(encodeURIComponent(text))),
    ...part,
    text,
  };
}

export function aCell(part: Partial<Cell> = {}): Cell {
  return {
    last_drop_at: ago(180),
    last_number: 18,
    signal: { rssi: 17, ber: 0 },
    gaps: [],
    delivery: {
      days: 30,
      cell: { expected: 100, arrived: 97, rate: 0.97 },
      wifi: null,
    },
    plan: {
      month: '2026-11',
      used_bytes: 800_000,
      budget_bytes: 1_500_000,
      forecast_bytes: 1_200_000,
      warn_at: 0.8,
      state: 'ok',
      price_cents_per_mb: 50,
      cost_cents: 40,
      forecast_cents: 60,
      currency: 'USD',
      is_own: false,
    },
    dictionary: 'a1b2c3d4',
    agent: { state: 'active', waiting: 0 },
    ...part,
  };
}

/** A machine that nobody ever heard by cell. */
export function noCell(): Cell {
  const delivery = { days: 30, cell: null, wifi: null };
  return aCell({ last_drop_at: null, last_number: null, signal: null, delivery, agent: null });
}
