// What a machine said of itself last, in words. Pure; what it did not say is left out.
import type { Machine } from '../api/types';
import { bytes, count, counted } from '../format/number';
import { duration } from '../format/time';

export interface Fact {
  name: string;
  value: string;
  /** True when the value itself asks for attention. */
  grave?: boolean;
}

/** A Raspberry Pi slows itself down from 80 °C. */
const HOT_C = 80;
/** Below this the spool will pause its inputs soon. */
const DISK_LOW_BYTES = 500_000_000;

export function facts(machine: Machine): Fact[] {
  const beat = machine.heartbeat ?? {};
  const number = (key: string) => {
    const value = beat[key];
    return typeof value === 'number' ? value : undefined;
  };
  const found: Fact[] = [];
  const uptime = machine.uptime_s ?? number('uptime_s');
  if (uptime !== undefined) found.push({ name: 'Up for', value: duration(uptime * 1000) });
  const heat = number('cpu_temperature_c');
  if (heat !== undefined) {
    found.push({ name: 'Processor', value: `${heat.toFixed(0)} °C`, grave: heat >= HOT_C });
  }
  const disk = number('disk_free_bytes');
  if (disk !== undefined) {
    found.push({ name: 'Disk free', value: bytes(disk), grave: disk < DISK_LOW_BYTES });
  }
  const memory = number('memory_available_bytes');
  if (memory !== undefined) found.push({ name: 'Memory free', value: bytes(memory) });
  const spool = number('spool_entries');
  if (spool !== undefined) found.push({ name: 'Waiting to send', value: waiting(spool, number) });
  const aside = number('entries_put_aside');
  if (aside)
    found.push({ name: 'Refused', value: counted(aside, 'entry', 'entries'), grave: true });
  if (beat['clock'] === 'unsynced') {
    found.push({ name: 'Clock', value: 'not set since boot', grave: true });
  }
  if (machine.agent_version) found.push({ name: 'Agent', value: machine.agent_version });
  return found;
}

function waiting(spool: number, number: (key: string) => number | undefined): string {
  if (spool === 0) return 'nothing';
  const age = number('spool_oldest_age_s');
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
