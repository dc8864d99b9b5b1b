// What the fleet page says about the whole: is anything wrong, where, since when.
import type { Machine, Status } from '../api/types';
import { counted } from '../format/number';
import type { Tone } from '../ui/tone';

export const STATUS_WORD: Record<Status, string> = {
  red: 'In trouble',
  yellow: 'To watch',
  grey: 'Not heard yet',
  green: 'Well',
};

export const STATUS_TONE: Record<Status, Tone> = {
  red: 'bad',
  yellow: 'warn',
  grey: 'unheard',
  green: 'good',
};

export function headline(machines: Machine[]): string {
  const all = machines.length;
  const troubled = machines.filter(({ status }) => status === 'red' || status === 'yellow').length;
  const silent = machines.filter(({ status }) => status === 'grey').length;
  if (troubled > 0) {
    return `${troubled} of ${counted(all, 'machine')} ${troubled === 1 ? 'needs' : 'need'} attention`;
  }
  if (silent === all) return `Waiting for the first word of ${counted(all, 'machine')}`;
  if (silent > 0) return `${counted(all - silent, 'machine')} well, ${silent} not heard from yet`;
  return all === 1 ? 'The machine is well' : `All ${all} machines are well`;
}

/**
 * Why the machine is as it is. A well machine's own words are how long ago it spoke, which stands
 * in a column that keeps counting; here is what else "well" means.
 */
export function reasonOf({ status, reason, warnings_1h }: Machine): string {
  if (status !== 'green') return reason;
  const said = warnings_1h > 0 ? counted(warnings_1h, 'warning') : 'nothing to report';
  return `In contact, ${said} in the last hour`;
}

/** A reason inside a sentence: first letter small unless it opens a name, no full stop. */
export function asClause(reason: string): string {
  const bare = reason.replace(/\.$/, '');
  return /^[A-Z][a-z ]/.test(bare) ? bare.charAt(0).toLowerCase() + bare.slice(1) : bare;
}

export interface CellWord {
  word: string;
  title: string;
  grave: boolean;
}

/**
 * A word in place of the time where the time would mislead: a drop a day is all that standby means,
 * and a reader that takes none is worse than an old drop says. Null where the time says it all.
 */
export function cellWord({ links, heartbeat }: Machine): CellWord | null {
  if (links.cell === 'standby') {
    return { word: 'standby', title: 'WiFi delivers; one drop a day', grave: false };
  }
  if (links.cell !== 'failing') return null;
  const why = heartbeat?.cell?.error ?? 'The reader takes no drops';
  return { word: 'failing', title: why, grave: true };
}
