// The lists of the Alerts page, by their addresses.
import { ALERTS, CHANNELS, DELIVERIES, PEOPLE, RULES, WATCH, WORK } from '../route/paths';

export type AlertsTab =
  'alerts' | 'rules' | 'people' | 'channels' | 'work' | 'deliveries' | 'watch';

export const TABS: { tab: AlertsTab; href: string; words: string }[] = [
  { tab: 'alerts', href: ALERTS, words: 'Alerts' },
  { tab: 'rules', href: RULES, words: 'Rules' },
  { tab: 'people', href: PEOPLE, words: 'People' },
  { tab: 'channels', href: CHANNELS, words: 'Channels' },
  { tab: 'work', href: WORK, words: 'Work and hours' },
  { tab: 'deliveries', href: DELIVERIES, words: 'Messages' },
  { tab: 'watch', href: WATCH, words: 'Watch' },
];

/** The number that a link in a message names: `/alerts/12`. */
export function linkedAlert(parts: string[]): number | null {
  return parts.length === 2 && /^\d{1,15}$/.test(parts[1] ?? '') ? Number(parts[1]) : null;
}

export function tabOf(parts: string[]): AlertsTab {
  return TABS.find(({ tab }) => tab === parts[1])?.tab ?? 'alerts';
}

export function isAlertsTab(parts: string[]): boolean {
  if (parts.length === 1 || linkedAlert(parts) !== null) return true;
  return parts.length === 2 && TABS.some(({ tab }) => tab === parts[1] && tab !== 'alerts');
}
