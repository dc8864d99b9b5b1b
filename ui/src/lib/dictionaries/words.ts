// What is said of dictionaries: where they come from, and what came of a training. Pure.
import { bytes, counted } from '../format/number';
import type { Dictionary } from './types';

/** "Trained from 12,034 log entries". */
export function originOf({ origin, entries }: Dictionary): string {
  switch (origin) {
    case 'shipped':
      return 'Came with Vendlog';
    case 'uploaded':
      return 'Added from a file';
    case 'trained':
      return entries > 0
        ? `Trained from ${counted(entries, 'log entry', 'log entries')}`
        : 'Trained from the fleet’s logs';
  }
}

/** What it is good for now. */
export function useOf({ is_current }: Dictionary, isAnyGiven: boolean): string {
  if (is_current) return 'Given to machines: they pack new drops with it';
  return isAnyGiven
    ? 'Kept, to read drops that were packed with it'
    : 'Kept, to read drops that are packed with it';
}

/** The days of logs that can be trained from. */
export const DAYS = [7, 30, 90, 400];

/** What a training came to. */
export function trainedWords({ id, entries, size_bytes, is_current }: Dictionary): string {
  const made = `Dictionary ${id} is made from ${counted(entries, 'log entry', 'log entries')} and takes ${bytes(size_bytes)}.`;
  return is_current
    ? `${made} Machines with WiFi get it with their next heartbeat.`
    : `${made} Machines do not use it until you give it to them.`;
}
