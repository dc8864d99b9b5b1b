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
/** Below this a WiFi link loses more than it carries. */
const SIGNAL_WEAK_DBM = -75;
/** Off by more than this, times of the log mislead whoever reads them. */
const CLOCK_OFF_MS = 60_000;

const POWER_WORDS: Record<string, string> = {
  under_voltage: 'too little voltage',
  frequency_capped: 'clock capped',
  throttled: 'slowed down',
  soft_temperature_limit: 'hot',
};

export function facts(machine: Machine): Fact[] {
  const beat: Partial<Heartbeat> = machine.heartbeat ?? {};
  const found: Fact[] = [...ofHardware(machine, beat), ...ofApplication(beat), ...ofDelivery(beat)];
  if (machine.agent_version) found.push(fact('Agent', machine.agent_version));
  return found;
}

function fact(name: string, value: string, grave = false): Fact {
  return { name, value, grave };
}

function ofHardware(machine: Machine, beat: Partial<Heartbeat>): Fact[] {
  const found: Fact[] = [];
  const uptime = machine.uptime_s ?? beat.uptime_s;
  if (isNumber(uptime)) found.push(fact('Up for', duration(uptime * 1000)));
  const heat = beat.cpu_temperature_c;
  if (isNumber(heat)) found.push(fact('Processor', `${heat.toFixed(0)} °C`, heat >= HOT_C));
  const now = beat.throttled?.now ?? [];
  const before = (beat.throttled?.since_boot ?? []).filter((word) => !now.includes(word));
  if (now.length > 0) found.push(fact('Power', powerWords(now), true));
  if (before.length > 0) found.push(fact('Power since boot', powerWords(before)));
  const disk = beat.disk_free_bytes;
  if (isNumber(disk)) found.push(fact('Disk free', bytes(disk), disk < DISK_LOW_BYTES));
  const memory = beat.memory_available_bytes;
  if (isNumber(memory)) found.push(fact('Memory free', bytes(memory)));
  const signal = beat.wifi_signal_dbm;
  if (isNumber(signal)) {
    found.push(fact('WiFi signal', `${signal} dBm`, signal <= SIGNAL_WEAK_DBM));
  }
  return found;
}

function powerWords(words: string[]): string {
  return words.map((word) => POWER_WORDS[word] ?? word.replaceAll('_', ' ')).join(', ');
}

function ofApplication(beat: Partial<Heartbeat>): Fact[] {
  const found: Fact[] = [];
  const starts = beat.app?.starts_1h ?? 0;
  const startWords = `${counted(starts, 'start')} in the last hour`;
  if (beat.app?.crash_loop) {
    found.push(fact('Application', `starts again and again: ${startWords}`, true));
  } else if (starts > 0) found.push(fact('Application', startWords));
  const sale = beat.app?.last_sale_age_s;
  if (isNumber(sale)) found.push(fact('Last sale', `${duration(sale * 1000)} before`));
  for (const input of beat.inputs ?? []) {
    if (input.state === 'reading') continue;
    const why = input.error ? `: ${input.error}` : '';
    found.push(fact('Input', `${input.name} ${input.state}${why}`, true));
  }
  return found;
}

function ofDelivery(beat: Partial<Heartbeat>): Fact[] {
  const found: Fact[] = [];
  if (isNumber(beat.spool_entries)) {
    found.push(fact('Waiting to send', waiting(beat.spool_entries, beat.spool_oldest_age_s)));
  }
  if (beat.entries_put_aside) {
    found.push(fact('Refused', counted(beat.entries_put_aside, 'entry', 'entries'), true));
  }
  if (beat.gaps) found.push(fact('Gaps', counted(beat.gaps, 'gap'), true));
  const off = beat.clock_offset_ms;
  if (beat.clock === 'unsynced') found.push(fact('Clock', 'not set since boot', true));
  else if (isNumber(off) && Math.abs(off) >= CLOCK_OFF_MS) {
    const way = off > 0 ? 'behind' : 'ahead';
    found.push(fact('Clock', `${duration(Math.abs(off))} ${way}`, true));
  }
  if (beat.config?.state === 'refused' || beat.config?.state === 'rolled_back') {
    const what = beat.config.state === 'refused' ? 'refused' : 'rolled back';
    found.push(fact('New settings', `${what}: ${beat.config.error ?? 'no reason given'}`, true));
  } else if (beat.config?.state === 'trial') {
    found.push(fact('New settings', 'on trial'));
  }
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
