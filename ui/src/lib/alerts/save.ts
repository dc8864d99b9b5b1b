// Changing the configuration: says what was done with the way back, or why it was not.
import type { Undo } from '../ui/undo.svelte';
import type { AlertsState } from './alerts.svelte';

export async function save(
  alerts: AlertsState,
  undo: Undo,
  words: string,
  act: () => Promise<unknown>,
  back?: () => Promise<unknown>,
): Promise<boolean> {
  try {
    await act();
  } catch (error) {
    undo.failed(`Not saved: ${reason(error)}`);
    return false;
  }
  await alerts.loadConfig();
  if (!back) undo.offer({ words });
  else {
    undo.offer({
      words,
      undo: async () => {
        await back();
        await alerts.loadConfig();
      },
    });
  }
  return true;
}

/** Why not, with every place that is wrong. */
export function reason(error: unknown): string {
  const wrong = (error as { wrong?: { place: string; words: string }[] }).wrong ?? [];
  if (wrong.length > 0) return wrong.map(({ place, words }) => `${place}: ${words}`).join('; ');
  return error instanceof Error ? error.message : String(error);
}

/** An id that nothing has yet: the name in small letters, with a number if need be. */
export function idFor(name: string, taken: string[]): string {
  const base =
    name
      .toLowerCase()
      .replaceAll(/[^a-z0-9]+/g, '-')
      .replaceAll(/^-|-$/g, '') || 'x';
  let id = base;
  for (let n = 2; taken.includes(id); n += 1) id = `${base}-${n}`;
  return id;
}
