// Moving the focus along the rows of a list: j, k and the arrows.

const STEPS: Record<string, number> = { j: 1, ArrowDown: 1, k: -1, ArrowUp: -1 };

/** True when the key is somebody's typing, or part of a combination. */
export function isTyping(event: KeyboardEvent): boolean {
  const field = 'input, textarea, select, dialog';
  const typing = event.target instanceof Element && event.target.closest(field) !== null;
  return typing || event.ctrlKey || event.metaKey || event.altKey;
}

/**
 * Moves the focus among the `[data-open]` elements in `body`: they carry it, so that Enter and the
 * context menu are the browser's own.
 */
export function moveFocus(event: KeyboardEvent, body: HTMLElement | undefined): void {
  const step = STEPS[event.key];
  if (!step || !body || isTyping(event)) return;
  const rows = [...body.querySelectorAll<HTMLElement>('[data-open]')];
  const at = rows.findIndex((row) => row === document.activeElement);
  const next = at < 0 ? (step > 0 ? 0 : rows.length - 1) : at + step;
  const row = rows[Math.max(0, Math.min(rows.length - 1, next))];
  event.preventDefault();
  row?.focus();
  row?.scrollIntoView({ block: 'nearest' });
}
