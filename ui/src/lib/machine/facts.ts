// What a machine said of itself last, in words. Pure; what it did not say is left out.
import type { Heartbeat, Machine } from '../api/types';
import { bytes, count, counted } from '../format/number';
import { duration } from '../format/time';

export interface Fact {
  name: string;
  value: string;
  /** True when the value itself asks for attention. */
  grave: boolean;
}

/** A Raspberry Pi slows itself down from 80 °C. */
const HOT_C = 80;
/** Below this the spool will pause its inputs soon. */
const DISK_LOW_BYTES = 500_000_000;

export function facts(machine: Machine): Fact[] {
  const beat: Partial<Heartbeat> = machine.heartbeat ?? {};
  const found: Fact[] = [];
  const add = (name: string, value: string, grave = false) => found.push({ name, value, grave });

  const uptime = machine.uptime_s ?? beat.uptime_s;
  if (isNumber(uptime)) add('Up for', duration(uptime * 1000));
  const heat = beat.cpu_temperature_c;
  if (isNumber(heat)) add('Processor', `${heat.toFixed(0)} °C`, heat >= HOT_C);
  const disk = beat.disk_free_bytes;
  if (isNumber(disk)) add('Disk free', bytes(disk), disk < DISK_LOW_BYTES);
  if (isNumber(beat.memory_available_bytes)) add('Memory free', bytes(beat.memory_available_bytes));
  if (isNumber(beat.spool_entries)) {
    add('Waiting to send', waiting(beat.spool_entries, beat.spool_oldest_age_s));
  }
  if (beat.entries_put_aside) {
    add('Refused', counted(beat.entries_put_aside, 'entry', 'entries'), true);
  }
  if (beat.clock === 'unsynced') add('Clock', 'not set since boot', true);
  if (machine.agent_version) add('Agent', machine.agent_version);
  return found;
}

function isNumber(value: number | null | undefined): value is number {
  return typeof value === 'number';
}

function waiting(spool: number, age: number | null | undefined): string {
  if (spool === 0) return 'nothing';
  return age ? `${count(spool)}, oldest ${duration(age * 1000)}` : counted(spool, 'line');
}

/** The time at the machine, when its zone is known and not ours. */
export function timeThere(timezone: string | null, now: number): string | null {
  if (!timezone || timezone === Intl.DateTimeFormat().resolvedOptions().timeZone) return null;
  try {
    const format = { hour: '2-digit', minute: '2-digit', timeZone: timezone } as const;
    return new Intl.DateTimeFormat('en-GB', format).format(now);
  } catch {
    return null;
  }
}
