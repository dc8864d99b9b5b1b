// A message as a row of text nodes: parameters set off, search hits marked, hidden characters shown.
import { visible } from './escape';
import { hits } from './search';

export interface Segment {
  text: string;
  param: boolean;
  hit: boolean;
  escaped: boolean;
}

/**
 * Cuts `text` at the edges of parameters, hits and escapes. The texts of the segments joined are
 * `text` again, but for the escapes. `params` may be damaged: what lies outside is ignored.
 */
export function segments(text: string, params: number[][], terms: string[]): Segment[] {
  const marked = hits(text, terms);
  const spans = params.filter(([from, to]) => isSpan(from, to, text.length)) as [number, number][];
  const cuts = new Set([0, text.length, ...spans.flat(), ...marked.flat()]);
  const edges = [...cuts].sort((a, b) => a - b);
  const found: Segment[] = [];
  for (let i = 0; i + 1 < edges.length; i += 1) {
    const from = edges[i] ?? 0;
    const to = edges[i + 1] ?? text.length;
    const param = covers(spans, from);
    const hit = covers(marked, from);
    for (const piece of visible(text.slice(from, to))) found.push({ ...piece, param, hit });
  }
  return found;
}

function covers(spans: [number, number][], at: number): boolean {
  return spans.some(([from, to]) => from <= at && at < to);
}

function isSpan(from: number | undefined, to: number | undefined, length: number): boolean {
  return from !== undefined && to !== undefined && 0 <= from && from < to && to <= length;
}
