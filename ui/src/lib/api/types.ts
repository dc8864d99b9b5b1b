// What travels over the API, by the names the pages use.

export type Level = 'DEBUG' | 'INFO' | 'WARN' | 'ERROR' | 'CRITICAL';
/** Lightest first: the index of a level is its weight. */
export const LEVELS: readonly Level[] = ['DEBUG', 'INFO', 'WARN', 'ERROR', 'CRITICAL'];

/** Counts by level, in the order of `LEVELS`. */
export type LevelCounts = number[];

export interface LogEntry {
  id: string;
  machine_id: string;
  epoch: number | null;
  seq: number | null;
  timestamp: string;
  received_at: string;
  filed_at: string;
  level: Level;
  component: string;
  message: string;
  context: Record<string, unknown>;
  clock: 'synced' | 'unsynced' | 'repaired';
  path: 'wifi' | 'cell' | 'both';
  fidelity: 'full' | 'summary';
  template: string;
  /** Spans of the parameters in `message`, in UTF-16 code units, ascending. */
  params: number[][];
}

export interface LogPage {
  entries: LogEntry[];
  next: string | null;
  /** Set when the page is short because time was up: how far the search got. */
  searched_to: string | null;
}

export interface HistogramAnswer {
  from: string;
  to: string;
  step_ms: number;
  bins: LevelCounts[];
  exact: boolean;
}

export interface ContextAnswer {
  entries: LogEntry[];
  index: number;
  template_count_on_day: number;
}

export type Status = 'green' | 'yellow' | 'red' | 'grey';

export interface Machine {
  machine_id: string;
  name: string | null;
  location: string | null;
  timezone: string | null;
  site: string | null;
  created_at: string;
  status: Status;
  reason: string;
  last_contact: { wifi: string | null; cell: string | null };
  last_heartbeat: string | null;
  errors_1h: number;
  warnings_1h: number;
  errors_24h: number;
  warnings_24h: number;
  /** The last 24 hours, oldest first. */
  hours: LevelCounts[];
  uptime_s: number | null;
  agent_version: string | null;
  heartbeat: Record<string, unknown> | null;
}

export interface MachineList {
  machines: Machine[];
  as_of: string;
}

export interface NewMachine {
  machine_id: string;
  name?: string;
  location?: string;
  timezone?: string;
}

export interface AddedMachine {
  machine_id: string;
  api_key: string;
  agent_toml: string;
}

export interface ServerInfo {
  version: string;
  url: string | null;
  pin: string | null;
  listen_error: string | null;
}

export interface EntriesEvent {
  machine_id: string;
  count: number;
  from: string;
  to: string;
  worst: Level;
}
