// The three lists of the Sources page, by their addresses.
import { DROPS, QUARANTINE, SOURCES } from '../route/paths';

export type SourcesTab = 'sources' | 'quarantine' | 'drops';

export const TABS: { tab: SourcesTab; href: string; words: string }[] = [
  { tab: 'sources', href: SOURCES, words: 'Sources' },
  { tab: 'quarantine', href: QUARANTINE, words: 'Quarantine' },
  { tab: 'drops', href: DROPS, words: 'Recent drops' },
];

export function tabOf(parts: string[]): SourcesTab {
  return TABS.find(({ tab }) => tab === parts[1])?.tab ?? 'sources';
}

export function isSourcesTab(parts: string[]): boolean {
  return (
    parts.length === 1 || (parts.length === 2 && ['quarantine', 'drops'].includes(parts[1] ?? ''))
  );
}
