// The kinds of sources: what they are called, and what each is good for. Pure.
import type { FormKind, SourceKind } from './types';

export const KINDS: { kind: FormKind; words: string; about: string }[] = [
  {
    kind: 'ftp',
    words: 'FTP or FTPS',
    about: 'A folder on an FTP server that USALive writes to.',
  },
  {
    kind: 'sftp',
    words: 'SFTP',
    about: 'A folder on an SSH server, with a password or a key.',
  },
  {
    kind: 'imap',
    words: 'Mailbox',
    about: 'A mailbox that USALive sends reports to, read by IMAP.',
  },
  {
    kind: 'http',
    words: 'HTTP POST',
    about: 'USALive calls this server. It must be reachable from the internet.',
  },
];

export const KIND_WORD: Record<SourceKind, string> = {
  ftp: 'FTP',
  ftps: 'FTPS',
  sftp: 'SFTP',
  imap: 'Mail',
  http: 'HTTP',
};

/** "FTP or FTPS", "Mailbox". */
export function wordsOf(kind: FormKind): string {
  return KINDS.find((one) => one.kind === kind)?.words ?? kind;
}

export function kindOf(text: string | null): FormKind | null {
  return KINDS.find(({ kind }) => kind === text)?.kind ?? null;
}
