// How levels are named and told apart: a letter, a word, a shape of bar.
import type { Level } from '../api/types';

export const LEVEL_WORDS: Record<Level, string> = {
  DEBUG: 'All levels',
  INFO: 'Info and worse',
  WARN: 'Warnings and worse',
  ERROR: 'Errors and worse',
  CRITICAL: 'Critical only',
};

export const LEVEL_SHORT: Record<Level, string> = {
  DEBUG: 'All',
  INFO: 'Info',
  WARN: 'Warn',
  ERROR: 'Error',
  CRITICAL: 'Critical',
};
