// What is said of a machine's cellular path: pure.
import { bytes, counted } from '../format/number';
import { shortly } from '../format/time';
import type { Cell, DeliveryRate, DropGap, PlanUse } from './types';

/** The PRD's aim: so much of what is sent has to arrive. */
export const AIM = 0.95;

const STATES: Record<string, { words: string; grave: boolean }> = {
  active: { words: 'In use: WiFi does not deliver, so drops do', grave: false },
  standby: { words: 'Standby: WiFi delivers; one drop a day as a sign of life', grave: false },
  holding: { words: "Holding back: the month's data runs short; only criticals go", grave: true },
  failing: { words: 'Failing: the reader takes no drops', grave: true },
};

/** How it is in words, and whether somebody should look. */
export function stateOf({ agent, last_drop_at }: Cell): { words: string; grave: boolean } {
  if (!agent) {
    return { words: last_drop_at ? 'Heard by drops only' : 'No drop yet', grave: false };
  }
  const known = STATES[agent.state] ?? { words: agent.state, grave: false };
  return agent.error ? { words: `${known.words} (${agent.error})`, grave: true } : known;
}

/** A machine that neither sent a drop nor means to has no cellular path worth a line. */
export function isHeard({ agent, last_drop_at, gaps }: Cell): boolean {
  return last_drop_at !== null || gaps.length > 0 || agent !== null;
}

/** "Drops 17–18 missing between 02:00 and 05:00". */
export function gapOf({ first, last, after, before }: DropGap, now: number): string {
  const which = first === last ? `Drop ${first}` : `Drops ${first}–${last}`;
  const at = (moment: string) => shortly(Date.parse(moment), now);
  if (after && before) return `${which} missing between ${at(after)} and ${at(before)}`;
  if (before) return `${which} missing before ${at(before)}`;
  if (after) return `${which} missing after ${at(after)}`;
  return `${which} missing`;
}

/**
 * GSM modems say 0 to 31 for -113 to -51 dBm in steps of 2, and 99 for unknown; readers pass it on
 * as it is, so that what lies outside is shown as they say it.
 */
export function signalOf(rssi: number | null | undefined): string {
  if (rssi === null || rssi === undefined || rssi === 99) return 'unknown';
  if (rssi < 0 || rssi > 31) return `${rssi}`;
  const word = rssi >= 20 ? 'strong' : rssi >= 15 ? 'good' : rssi >= 10 ? 'fair' : 'weak';
  return `${word}, ${2 * rssi - 113} dBm`;
}

/** "97.2 %", cut and not rounded: 94.96 % is below the aim. */
export function percent(rate: number): string {
  const tenths = Math.floor(rate * 1000 + 1e-9) / 10;
  return `${Number.isInteger(tenths) ? tenths : tenths.toFixed(1)} %`;
}

export function rateTitle({ arrived, expected }: DeliveryRate, what: string, days: number): string {
  return `${counted(arrived, what)} of ${counted(expected, what)} arrived in ${days} days; the aim is ${AIM * 100} %`;
}

/** "0.8 MB of 1.5 MB, $0.40", or without a bound or a price only what was used. */
export function usedOf({ used_bytes, budget_bytes, cost_cents, ...plan }: PlanUse): string {
  const used = budget_bytes ? `${bytes(used_bytes)} of ${bytes(budget_bytes)}` : bytes(used_bytes);
  return plan.price_cents_per_mb > 0 ? `${used}, ${money(cost_cents, plan.currency)}` : used;
}

/** "1.2 MB by its end, $0.60": what the month will come to. */
export function forecastOf({ forecast_bytes, forecast_cents, ...plan }: PlanUse): string {
  const cost = plan.price_cents_per_mb > 0 ? `, ${money(forecast_cents, plan.currency)}` : '';
  return `${bytes(forecast_bytes)} by its end${cost}`;
}

/** "November": the month is the server's, in UTC. */
export function monthOf({ month }: PlanUse): string {
  const first = Date.parse(`${month}-01T00:00:00Z`);
  if (!Number.isFinite(first)) return month;
  return new Intl.DateTimeFormat('en-GB', { month: 'long', timeZone: 'UTC' }).format(first);
}

export type PlanLook = 'ok' | 'warn' | 'over';

/** How the month stands; a forecast beyond the plan is worth a warning before it comes true. */
export function lookOf({ state, budget_bytes, forecast_bytes }: PlanUse): PlanLook {
  const isShort = budget_bytes !== null && forecast_bytes > budget_bytes;
  return state === 'ok' && isShort ? 'warn' : state;
}

/** What to say when the data will not last; undefined while it does. */
export function planWarning(plan: PlanUse): string | undefined {
  const { state, budget_bytes, forecast_bytes, warn_at } = plan;
  if (!budget_bytes) return undefined;
  if (state === 'over') return 'used up';
  if (forecast_bytes > budget_bytes) return 'will not last';
  return state === 'warn' ? `more than ${Math.round(warn_at * 100)} % used` : undefined;
}

export function money(cents: number, currency: string): string {
  try {
    return new Intl.NumberFormat('en-US', { style: 'currency', currency }).format(cents / 100);
  } catch {
    // A currency that nobody knows is shown as it was entered.
    return `${(cents / 100).toFixed(2)} ${currency}`;
  }
}
