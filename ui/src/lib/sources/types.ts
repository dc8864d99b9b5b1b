// Sources, quarantine and drops, by the names these pages use. The shapes are the server's own.
import type { components } from '../api/schema';

type Schemas = components['schemas'];

export type Source = Schemas['SourceView'];
export type SourceKind = Schemas['SourceKind'];
export type TestAnswer = Schemas['SourceTested'];
export type QuarantineItem = Schemas['QuarantineItem'];
export type QuarantineWhole = Schemas['QuarantineContent'];
export type QuarantineList = Schemas['Quarantine'];
export type RetryAnswer = Schemas['RetryAnswer'];
export type Drop = Schemas['DropView'];
export type DropList = Schemas['Drops'];

/** FTP and FTPS have one form: what tells them apart is a field of it. */
export type FormKind = Exclude<SourceKind, 'ftps'>;

/** A configuration as a form sees it, whatever its kind. Every secret that is kept reads `***`. */
export type SourceConfig = Record<string, unknown>;

/** A source as it is sent: new, or changed. */
export interface SourceChange {
  name: string;
  kind: SourceKind;
  enabled: boolean;
  config: SourceConfig;
}
