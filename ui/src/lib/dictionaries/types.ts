// Dictionaries by the names these pages use. The shapes are the server's own.
import type { components } from '../api/schema';

type Schemas = components['schemas'];

export type Dictionary = Schemas['DictionaryView'];
export type DictionaryList = Schemas['DictionaryList'];
