// Times and durations as a person reads them, in the zone of this computer.

const SECOND = 1000;
const MINUTE = 60 * SECOND;
export const HOUR = 60 * MINUTE;
export const DAY = 24 * HOUR;

const day = new Intl.DateTimeFormat('en-GB', { day: 'numeric', month: 'short' });
const dayYear = new Intl.DateTimeFormat('en-GB', {
  weekday: 'short',
  day: 'numeric',
  month: 'short',
  year: 'numeric',
});
const clock = new Intl.DateTimeFormat('en-GB', { hour: '2-digit', minute: '2-digit' });
const clockSeconds = new Intl.DateTimeFormat('en-GB', {
  hour: '2-digit',
  minute: '2-digit',
  second: '2-digit',
});
const zone = new Intl.DateTimeFormat('en-GB', { timeZoneName: 'short' });

/** "12 s", "3 min", "2 h 10 min", "4 d 3 h": two units at most, never a bare number. */
export function duration(ms: number): string {
  const s = Math.max(0, Math.round(ms / SECOND));
  if (s < 60) return `${s} s`;
  const min = Math.floor(s / 60);
  if (min < 60) return `${min} min`;
  const h = Math.floor(min / 60);
  if (h < 24) return min % 60 ? `${h} h ${min % 60} min` : `${h} h`;
  const d = Math.floor(h / 24);
  return h % 24 && d < 10 ? `${d} d ${h % 24} h` : `${d} d`;
}

/** "now", else how long ago, without the word "ago": columns and sentences add it. */
export function since(at: string, now: number): string {
  const ms = now - Date.parse(at);
  return ms < 5 * SECOND ? 'now' : duration(ms);
}

/** "14:02". */
export function minuteOf(at: Date | number): string {
  return clock.format(at);
}

/** "14:02:31". */
export function secondOf(at: Date | number): string {
  return clockSeconds.format(at);
}

/** "14:02:31.045", as log lines carry it. */
export function millisecondOf(at: Date): string {
  return `${clockSeconds.format(at)}.${String(at.getMilliseconds()).padStart(3, '0')}`;
}

/** "22 Jan". */
export function dayOf(at: Date | number): string {
  return day.format(at);
}

/** "Thu, 22 Jan 2026". */
export function wholeDayOf(at: Date | number): string {
  return dayYear.format(at);
}

/** The name of this computer's zone at that moment: "GMT-8", "CET". */
export function zoneAt(at: Date | number): string {
  return zone.formatToParts(at).find((part) => part.type === 'timeZoneName')?.value ?? '';
}

/** "Thu, 22 Jan 2026, 14:02:31 GMT-8": what a relative time stands for, on hover. */
export function absolute(at: string | number): string {
  const date = new Date(at);
  return `${dayYear.format(date)}, ${clockSeconds.format(date)} ${zoneAt(date)}`;
}

/** "14:02" when it is today, "22 Jan 14:02" otherwise. */
export function shortly(at: Date | number, now: number): string {
  const sameDay = new Date(at).toDateString() === new Date(now).toDateString();
  return sameDay ? minuteOf(at) : `${dayOf(at)} ${minuteOf(at)}`;
}
