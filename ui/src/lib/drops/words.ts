// What a drop held, in words. Pure.
import { counted } from '../format/number';
import { duration } from '../format/time';
import type { Drop } from '../sources/types';

const FORMS: Record<string, string> = { text: 'text', dense: 'dense', bare: 'bare lines' };

export function formOf({ form }: Drop): string {
  return FORMS[form] ?? form;
}

/** "12 new, 3 known already; 5 left out". */
export function heldOf({ entries, accepted, duplicates, left_out }: Drop): string {
  const left = left_out > 0 ? `${counted(left_out, 'entry', 'entries')} did not fit` : '';
  if (entries === 0) return left ? `none; ${left}` : 'none: a sign of life';
  const known = duplicates > 0 ? `, ${counted(duplicates, 'known', 'known')} already` : '';
  return [`${accepted} new${known}`, left].filter(Boolean).join('; ');
}

/** How long it was on its way from the machine to here. */
export function wayOf({ made_at, arrived_at }: Drop): string {
  if (!made_at) return '–';
  return duration(Date.parse(arrived_at) - Date.parse(made_at));
}
