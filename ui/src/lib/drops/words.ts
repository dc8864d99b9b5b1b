// What a drop held, in words. Pure.
import { count } from '../format/number';
import { duration } from '../format/time';
import type { Drop } from '../sources/types';

const FORMS: Record<string, string> = { text: 'text', dense: 'dense', bare: 'bare lines' };

export function formOf({ form }: Drop): string {
  return FORMS[form] ?? form;
}

/** "12 new, 3 known already; 5 did not fit": what it held. */
export function heldOf({ entries, accepted, upgraded, duplicates, left_out }: Drop): string {
  const left = left_out > 0 ? `${count(left_out)} did not fit` : '';
  if (entries === 0) return left ? `none; ${left}` : 'none: a sign of life';
  const known = duplicates - upgraded;
  const parts = [
    accepted > 0 ? `${count(accepted)} new` : 'none new',
    upgraded > 0 ? `${count(upgraded)} made whole` : '',
    known > 0 ? `${count(known)} known already` : '',
  ];
  return [parts.filter(Boolean).join(', '), left].filter(Boolean).join('; ');
}

/** What is unusual about its coming. */
export function oddOf({ repeats, is_conflict }: Drop): string {
  const again = repeats > 0 ? `came ${count(repeats + 1)} times` : '';
  const other = is_conflict ? 'another drop has its number' : '';
  return [again, other].filter(Boolean).join('; ');
}

/** How long it was on its way from the machine to here. */
export function wayOf({ made_at, arrived_at }: Drop): string {
  if (!made_at) return '–';
  return duration(Date.parse(arrived_at) - Date.parse(made_at));
}
