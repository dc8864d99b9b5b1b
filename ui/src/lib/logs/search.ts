// What of a search is to be marked in the lines: words and phrases, not what is excluded.

const TERM = /(-?)(?:([A-Za-z_][\w.]*):)?(?:"([^"]*)"?|(\S+))/g;

/** The texts that a hit contains, in small letters, longest first. */
export function searchedFor(q: string): string[] {
  const terms: string[] = [];
  for (const [, minus, field, phrase, word] of q.matchAll(TERM)) {
    const text = (phrase ?? word ?? '').trim().toLowerCase();
    if (text && !minus && !field) terms.push(text);
  }
  return [...new Set(terms)].sort((a, b) => b.length - a.length);
}

/** Where `terms` occur in `text`, ascending, merged where they touch. */
export function hits(text: string, terms: string[]): [number, number][] {
  const small = text.toLowerCase();
  // A few letters change their length in small: then places would be off, so nothing is marked.
  if (terms.length === 0 || small.length !== text.length) return [];
  const found: [number, number][] = [];
  for (const term of terms) {
    for (let at = small.indexOf(term); at >= 0; at = small.indexOf(term, at + term.length)) {
      found.push([at, at + term.length]);
    }
  }
  found.sort((a, b) => a[0] - b[0]);
  const merged: [number, number][] = [];
  for (const [from, to] of found) {
    const last = merged.at(-1);
    if (last && from <= last[1]) last[1] = Math.max(last[1], to);
    else merged.push([from, to]);
  }
  return merged;
}
