// What is said of alerts: how grave, how far, of what machines, by whom. Pure.
import { count, counted } from '../format/number';
import { DAY, duration, HOUR, shortly } from '../format/time';
import { plain } from '../logs/escape';
import type { Tone } from '../ui/tone';
import type { AlertConfig } from './config';
import type { Alert, AlertMachine, Delivery, Happening, Phase, Severity, Span } from './types';

export const SEVERITY_WORD: Record<Severity, string> = {
  critical: 'Critical',
  warning: 'Warning',
  info: 'Info',
};

export const SEVERITY_TONE: Record<Severity, Tone> = {
  critical: 'bad',
  warning: 'warn',
  info: 'unheard',
};

export const PHASE_WORD: Record<Phase, string> = {
  firing: 'Firing',
  acknowledged: 'Acknowledged',
  waiting: 'Waiting',
  resolved: 'Over',
};

/** Machines that a line names before it counts the rest. */
const NAMED = 3;

/** "VM003 Lobby west, Main Street"; of many how many, and the first of them. */
export function whereOf({ machines, path }: Pick<Alert, 'machines' | 'path'>): string {
  const only = machines.length === 1 ? machines[0] : undefined;
  if (only) return machineOf(only);
  const by = path ? ` by ${path === 'wifi' ? 'WiFi' : 'cellular'}` : '';
  const ids = machines.slice(0, NAMED).map(({ id }) => plain(id));
  const more = machines.length > NAMED ? ` and ${count(machines.length - NAMED)} more` : '';
  return `${counted(machines.length, 'machine')}${by}: ${ids.join(', ')}${more}`;
}

export function machineOf({ id, name, site }: AlertMachine): string {
  const named = name && name !== id ? `${id} ${name}` : id;
  return plain(site ? `${named}, ${site}` : named);
}

/** How far it is, and who has it. */
export function stateOf(alert: Alert, now: number): string {
  switch (alert.phase) {
    case 'firing':
      return alert.fired_at ? `Firing for ${ago(alert.fired_at, now)}` : 'Firing';
    case 'waiting':
      return 'Waiting: not for long enough yet';
    case 'acknowledged': {
      const note = alert.acknowledged_note ? `: ${plain(alert.acknowledged_note)}` : '';
      return `Acknowledged by ${plain(alert.acknowledged_by ?? '') || 'somebody'}${note}`;
    }
    case 'resolved':
      return endOf(alert, now);
  }
}

function endOf(alert: Alert, now: number): string {
  const who = plain(alert.resolved_who ?? '') || 'somebody';
  const HOW = {
    itself: 'by itself',
    hand: `by ${who}`,
    visit: `by a visit of ${who}`,
    configuration: 'because its rule or machine was changed',
  };
  const how = alert.resolved_by ? ` ${HOW[alert.resolved_by]}` : '';
  const note = alert.resolved_note ? `: ${plain(alert.resolved_note)}` : '';
  const since = alert.resolved_at ? ` for ${ago(alert.resolved_at, now)}` : '';
  return `Over${since},${how}${note}`.replace(/,(?=:|$)/, '');
}

/** What else is to be known at a glance: why it is quiet, that it came late. */
export function marksOf(alert: Alert, now: number): string[] {
  const marks = [];
  if (alert.is_late) marks.push('Late');
  if (alert.phase === 'resolved') return marks;
  const until = alert.silenced_until ? Date.parse(alert.silenced_until) : 0;
  if (until > now) marks.push(`Silenced until ${shortly(until, now)}`);
  if (alert.in_maintenance) marks.push('Maintenance');
  return marks;
}

/** "2 alerts are firing, 1 is acknowledged". */
export function headline({ firing, acknowledged, waiting }: Record<string, number>): string {
  const parts = [];
  if (firing) parts.push(`${counted(firing, 'alert')} ${firing === 1 ? 'is' : 'are'} firing`);
  if (acknowledged) parts.push(`${counted(acknowledged, 'alert')} acknowledged`);
  if (waiting) parts.push(`${count(waiting)} waiting`);
  return parts.length > 0 ? parts.join(', ') : 'No alert is open';
}

const WHAT: Record<Happening['what'], string> = {
  began: 'Began',
  fired: 'Fired',
  grouped: 'Joined with others',
  acknowledged: 'Acknowledged',
  silenced: 'Silenced',
  noted: 'Note',
  told: 'Told',
  resolved: 'Over',
};

/** "Acknowledged by Ana". */
export function happened({ what, who }: Happening): string {
  return who && what !== 'told' ? `${WHAT[what]} by ${plain(who)}` : WHAT[what];
}

export const DELIVERY_WORD: Record<Delivery['state'], string> = {
  waiting: 'Waits',
  calling: 'On its way',
  sent: 'Sent',
  failed: 'Failed',
  held: 'Held back',
};

export const DELIVERY_TONE: Record<Delivery['state'], Tone> = {
  waiting: 'unheard',
  calling: 'unheard',
  sent: 'good',
  failed: 'bad',
  held: 'off',
};

/** What became of a message: "Sent 14:02", "Failed after 3 tries: the server refused it". */
export function became(delivery: Delivery, now: number): string {
  const { state, sent_at: sent, next_at: next, tries, error } = delivery;
  const why = error ? `: ${plain(error)}` : '';
  if (state === 'sent') return `Sent ${sent ? shortly(Date.parse(sent), now) : ''}`.trim();
  if (state === 'failed') return `Failed after ${counted(tries, 'try', 'tries')}${why}`;
  const soon = next && state !== 'calling' ? ` until ${shortly(Date.parse(next), now)}` : '';
  return `${DELIVERY_WORD[state]}${soon}${why}`;
}

/** "12 min 40 s" is more than a person wants: the largest unit or two. */
function ago(at: string, now: number): string {
  return duration(now - Date.parse(at));
}

/** "20 Nov 02:10 – 04:15 (2 h 5 min)". */
export function awayWords({ from, to }: Span, now: number): string {
  const [begin, end] = [Date.parse(from), Date.parse(to)];
  return `${shortly(begin, now)} to ${shortly(end, now)} (${duration(end - begin)})`;
}

/** Spans in which nobody watched that are worth a banner: those of the last day. */
export function recentlyAway(spans: Span[], now: number): Span[] {
  return spans.filter(({ to }) => now - Date.parse(to) < DAY);
}

/** Why nobody would be told of anything; undefined when somebody is. */
export function nobodyTold({ people, channels, rules }: AlertConfig): string | undefined {
  if (!people.some(({ addresses }) => addresses.length > 0)) {
    return 'Nobody is told yet: no person has an address.';
  }
  const usable = channels.filter(({ enabled }) => enabled).map(({ id }) => id);
  if (usable.length === 0) return 'Nobody is told yet: no channel is set up and turned on.';
  const reached = people.some(({ addresses }) =>
    addresses.some(({ channel }) => usable.includes(channel)),
  );
  if (!reached) return 'Nobody is told yet: nobody has an address of a channel that is turned on.';
  const tells = rules.some(({ enabled, tell }) => enabled && tell.length > 0);
  return tells ? undefined : 'Nobody is told yet: no rule that is on tells anybody.';
}

/** Tomorrow at 8:00 on this computer's clock. */
export function tomorrowMorning(now: number): Date {
  const at = new Date(now);
  at.setDate(at.getDate() + 1);
  at.setHours(8, 0, 0, 0);
  return at;
}

export function hoursFrom(now: number, hours: number): Date {
  return new Date(now + hours * HOUR);
}
