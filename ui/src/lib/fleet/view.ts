// Which machines the fleet page shows, in which order: pure, and written into the address.
import { type Machine, type Status } from '../api/types';

/** Worst first; a machine never heard of waits for somebody to set it up. */
export const STATUSES: readonly Status[] = ['red', 'yellow', 'grey', 'green'];
export const SORTS = ['trouble', 'machine', 'contact', 'errors', 'warnings', 'site'] as const;
export type Sort = (typeof SORTS)[number];

export interface FleetView {
  q: string;
  status: Status | null;
  sort: Sort;
  reversed: boolean;
}

export function readView(query: URLSearchParams): FleetView {
  const sort = query.get('sort') ?? '';
  const name = sort.replace(/^-/, '');
  return {
    q: query.get('q') ?? '',
    status: STATUSES.find((status) => status === query.get('status')) ?? null,
    sort: SORTS.find((known) => known === name) ?? 'trouble',
    reversed: sort.startsWith('-'),
  };
}

export function writeView({ q, status, sort, reversed }: FleetView): URLSearchParams {
  const query = new URLSearchParams();
  if (q) query.set('q', q);
  if (status) query.set('status', status);
  if (sort !== 'trouble' || reversed) query.set('sort', (reversed ? '-' : '') + sort);
  return query;
}

/** The newest contact on any path, in ms; 0 when there never was one. */
export function lastContact({ last_contact: { wifi, cell } }: Machine): number {
  return Math.max(wifi ? Date.parse(wifi) : 0, cell ? Date.parse(cell) : 0);
}

type Order = (a: Machine, b: Machine) => number;
const byId: Order = (a, b) =>
  a.machine_id.localeCompare(b.machine_id, 'en', { numeric: true, sensitivity: 'base' });
const rank = (machine: Machine) => STATUSES.indexOf(machine.status);

const ORDERS: Record<Sort, Order> = {
  trouble: (a, b) =>
    rank(a) - rank(b) || b.errors_1h - a.errors_1h || b.errors_24h - a.errors_24h || byId(a, b),
  machine: byId,
  contact: (a, b) => lastContact(a) - lastContact(b),
  errors: (a, b) => b.errors_1h - a.errors_1h || b.errors_24h - a.errors_24h,
  warnings: (a, b) => b.warnings_1h - a.warnings_1h || b.warnings_24h - a.warnings_24h,
  site: (a, b) => place(a).localeCompare(place(b), 'en', { numeric: true }),
};

/** Where it stands: the site, then the location. */
export function place({ site, location }: Machine): string {
  return [site, location].filter(Boolean).join(' · ');
}

export function arrange(machines: Machine[], view: FleetView): Machine[] {
  const words = view.q.toLowerCase().split(/\s+/).filter(Boolean);
  const chosen = machines.filter((machine) => {
    if (view.status && machine.status !== view.status) return false;
    const text = [machine.machine_id, machine.name, machine.reason, place(machine)]
      .join(' ')
      .toLowerCase();
    return words.every((word) => text.includes(word));
  });
  const sign = view.reversed ? -1 : 1;
  return chosen.sort((a, b) => sign * ORDERS[view.sort](a, b) || byId(a, b));
}
