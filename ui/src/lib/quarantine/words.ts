// What a quarantined file needs, by the code of its reason. Pure.
import { counted } from '../format/number';
import type { QuarantineItem } from '../sources/types';

/** The machine whose adding would make it readable. */
export function missingMachine({ code, machine_id }: QuarantineItem): string | null {
  return code === 'unknown_machine' ? (machine_id ?? null) : null;
}

/** The dictionary whose coming would make it readable. */
export function missingDictionary({ dictionary }: QuarantineItem): string | null {
  return dictionary ?? null;
}

/** "2 drops", "1 drop that had come before": what reading it again brought. */
export function readWords(drops: number, repeats: number): string {
  const known = repeats > 0 ? `${counted(repeats, 'drop')} that had come before` : '';
  return [drops > 0 ? counted(drops, 'drop') : '', known].filter(Boolean).join(', ');
}
