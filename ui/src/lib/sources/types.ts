// What the API says of sources, quarantine and drops, by the names these pages use.

export type SourceKind = 'ftp' | 'ftps' | 'sftp' | 'imap' | 'http';
/** FTP and FTPS have one form: what tells them apart is a field of it. */
export type FormKind = Exclude<SourceKind, 'ftps'>;

/** Every secret that is kept reads `***`. */
export type SourceConfig = Record<string, string | number | boolean | null>;

export interface SourceStatus {
  state: 'never' | 'ok' | 'failing' | 'off';
  is_polling: boolean;
  last_poll_at: string | null;
  next_poll_at: string | null;
  last_success_at: string | null;
  failing_since: string | null;
  error: { code: string; message: string } | null;
  files_taken: number;
  drops_taken: number;
  quarantined: number;
  last_file_at: string | null;
  /** When USALive's "Test Transport" called. */
  tested_at: string | null;
  /** What the last poll found that does not match. */
  passed_over: number;
  /** Files that could not be taken although the source works. */
  troubles: string[];
}

export interface Source {
  id: string;
  name: string;
  kind: SourceKind;
  enabled: boolean;
  config: SourceConfig;
  has_secret: boolean;
  status: SourceStatus;
}

/** A source as it is sent: new, changed, or brought back. */
export interface SourceChange {
  name: string;
  kind: SourceKind;
  enabled: boolean;
  config: SourceConfig;
}

export interface TestAnswer {
  ok: boolean;
  message: string;
  code: string | null;
  /** The key that the server showed, to be compared and accepted: SHA256:… or sha256/… */
  fingerprint: string | null;
  files: number;
  sample: string[];
}

export interface QuarantineItem {
  id: number;
  source: string;
  name: string;
  arrived_at: string;
  size_bytes: number;
  code: string;
  reason: string;
  machine_id: string | null;
  dictionary: string | null;
  repeats: number;
  discarded_at: string | null;
  preview: string;
}

export interface QuarantineWhole extends QuarantineItem {
  /** What is no UTF-8 reads U+FFFD. */
  text: string;
  base64: string;
}

export interface RetryAnswer {
  is_read: boolean;
  drops: number;
  repeats: number;
  item: QuarantineItem | null;
}

export interface QuarantineList {
  items: QuarantineItem[];
  waiting: number;
}

export interface Drop {
  machine_id: string;
  epoch: number | null;
  number: number | null;
  name: string;
  source: string;
  form: 'text' | 'dense' | 'bare';
  arrived_at: string;
  made_at: string | null;
  size_bytes: number;
  entries: number;
  accepted: number;
  upgraded: number;
  duplicates: number;
  left_out: number;
  repeats: number;
  is_conflict: boolean;
}

export interface DropList {
  drops: Drop[];
  next: string | null;
}
