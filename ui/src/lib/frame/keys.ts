// Keys that work everywhere, unless somebody is typing.
import { ALERTS, FLEET, LOGS, SOURCES } from '../route/paths';

const PLACES = { '1': FLEET, '2': LOGS, '3': ALERTS, '4': SOURCES } as const;

export type GlobalKey = 'search' | 'palette' | 'help' | (typeof PLACES)[keyof typeof PLACES];

/** What the key asks for, if anything. Numbers go to the pages of the rail, in its order. */
export function globalKey(event: KeyboardEvent): GlobalKey | undefined {
  const { key, target } = event;
  if ((event.ctrlKey || event.metaKey) && key.toLowerCase() === 'k') return 'palette';
  if (event.ctrlKey || event.metaKey || event.altKey) return undefined;
  if (target instanceof HTMLElement && target.closest('input, textarea, select')) return undefined;
  if (key === '/') return 'search';
  if (key === '?') return 'help';
  return PLACES[key as keyof typeof PLACES];
}

/** Every key of the window, as the help shows them. */
export const KEY_HELP: { area: string; keys: { keys: string[]; does: string }[] }[] = [
  {
    area: 'Everywhere',
    keys: [
      { keys: ['/'], does: 'Search or filter this page' },
      { keys: ['Ctrl', 'K'], does: 'Go to a page, a machine, a ready filter' },
      { keys: ['1'], does: 'Fleet' },
      { keys: ['2'], does: 'Logs' },
      { keys: ['3'], does: 'Alerts' },
      { keys: ['4'], does: 'Sources' },
      { keys: ['?'], does: 'This help' },
    ],
  },
  {
    area: 'Fleet',
    keys: [
      { keys: ['j', '↓'], does: 'Next machine' },
      { keys: ['k', '↑'], does: 'Previous machine' },
      { keys: ['Enter'], does: 'Open the machine' },
    ],
  },
  {
    area: 'Log lines',
    keys: [
      { keys: ['j', '↓'], does: 'Next line' },
      { keys: ['k', '↑'], does: 'Previous line' },
      { keys: ['Enter'], does: 'Open or close the line' },
      { keys: ['Home'], does: 'Earliest loaded line' },
      { keys: ['End'], does: 'Newest line' },
      { keys: ['f'], does: 'Follow new lines' },
      { keys: ['w'], does: 'Wrap long lines' },
    ],
  },
  {
    area: 'Alerts',
    keys: [
      { keys: ['j', '↓'], does: 'Next alert' },
      { keys: ['k', '↑'], does: 'Previous alert' },
      { keys: ['Enter'], does: 'Open or close it' },
      { keys: ['a'], does: 'Acknowledge it' },
      { keys: ['s'], does: 'Silence it' },
      { keys: ['n'], does: 'Write a note' },
      { keys: ['r'], does: 'Resolve it' },
    ],
  },
  {
    area: 'Sources',
    keys: [
      { keys: ['j', '↓'], does: 'Next source or file' },
      { keys: ['k', '↑'], does: 'Previous source or file' },
      { keys: ['Enter'], does: 'Open or close it' },
      { keys: ['n'], does: 'New source' },
      { keys: ['e'], does: 'Edit the source' },
      { keys: ['t'], does: 'Test its connection' },
    ],
  },
];
