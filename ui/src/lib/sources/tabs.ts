// The lists of the Sources page, by their addresses.
import { DICTIONARIES, DROPS, QUARANTINE, SOURCES } from '../route/paths';

export type SourcesTab = 'sources' | 'quarantine' | 'drops' | 'dictionaries';

export const TABS: { tab: SourcesTab; href: string; words: string }[] = [
  { tab: 'sources', href: SOURCES, words: 'Sources' },
  { tab: 'quarantine', href: QUARANTINE, words: 'Quarantine' },
  { tab: 'drops', href: DROPS, words: 'Recent drops' },
  { tab: 'dictionaries', href: DICTIONARIES, words: 'Dictionaries' },
];

export function tabOf(parts: string[]): SourcesTab {
  return TABS.find(({ tab }) => tab === parts[1])?.tab ?? 'sources';
}

export function isSourcesTab(parts: string[]): boolean {
  if (parts.length === 1) return true;
  return parts.length === 2 && TABS.some(({ tab }) => tab === parts[1] && tab !== 'sources');
}
