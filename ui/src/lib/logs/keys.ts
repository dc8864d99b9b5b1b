// The keys of the log list, apart from what they do.

export type ListAction =
  | { kind: 'move'; rows: number }
  | { kind: 'toggle' }
  | { kind: 'close' }
  | { kind: 'newest' }
  | { kind: 'oldest' };

const PAGE_ROWS = 20;

const KEYS: Record<string, ListAction> = {
  j: { kind: 'move', rows: 1 },
  ArrowDown: { kind: 'move', rows: 1 },
  k: { kind: 'move', rows: -1 },
  ArrowUp: { kind: 'move', rows: -1 },
  PageDown: { kind: 'move', rows: PAGE_ROWS },
  PageUp: { kind: 'move', rows: -PAGE_ROWS },
  Enter: { kind: 'toggle' },
  ' ': { kind: 'toggle' },
  Escape: { kind: 'close' },
  End: { kind: 'newest' },
  G: { kind: 'newest' },
  Home: { kind: 'oldest' },
};

export function listKey(key: string): ListAction | undefined {
  return KEYS[key];
}
