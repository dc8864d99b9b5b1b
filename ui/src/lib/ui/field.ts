// A field of a form that is drawn from a list. Pure.

export interface Field {
  key: string;
  label: string;
  input: 'text' | 'number' | 'choice' | 'check' | 'long' | 'secret' | 'long secret';
  /** What the form begins with. */
  first?: string;
  required?: boolean;
  hint?: string;
  placeholder?: string;
  choices?: { value: string; words: string }[];
  /** Shown, and sent, only while this holds. */
  when?: { key: string; is: string[] };
  /** Smallest and largest, for numbers. */
  range?: [number, number];
  /** The fewest characters. */
  least?: number;
  /** Few need it: it stands behind "More". */
  more?: boolean;
  /** It decides to whom the secrets are shown: when it changes, they are asked for again. */
  account?: boolean;
}

/** How the server writes a secret that it has. */
export const KEPT = '***';

export function isSecret(input: Field['input']): boolean {
  return input === 'secret' || input === 'long secret';
}

/** A value as it stands in a form. */
export function text(value: unknown): string {
  return value === undefined || value === null || value === false ? '' : String(value);
}
