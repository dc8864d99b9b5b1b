// What is said of sources: where they are, how they are, when they are asked next. Pure.
import { counted } from '../format/number';
import { asSentence } from '../format/text';
import { duration, shortly } from '../format/time';
import { plain } from '../logs/escape';
import type { Tone } from '../ui/tone';
import { KIND_WORD } from './kinds';
import type { Source } from './types';

/** "FTP ftp.example.com/out, every 60 s". */
export function whereOf({ kind, config }: Source): string {
  if (config.kind === 'http') return `HTTP POST to this server, as ${config.user}`;
  const { host, user, folder = '', interval_s: seconds = 60 } = config;
  const at = config.port ? `${host}:${config.port}` : host;
  const every = `every ${seconds <= 120 ? `${seconds} s` : duration(seconds * 1000)}`;
  if (kind === 'imap') return `Mail ${user} at ${at}, ${folder || 'INBOX'}, ${every}`;
  const path = folder === '/' ? '' : folder.startsWith('/') ? folder : folder && `/${folder}`;
  return `${KIND_WORD[kind]} ${at}${path}, ${every}`;
}

/** What is wrong with it, as a sentence; undefined while nothing is known to be. */
export function troubleOf({ config, status }: Source): string | undefined {
  const host = 'host' in config ? config.host : '';
  return status.error ? asSentence(plain(status.error.message), host) : undefined;
}

export type Look = 'ok' | 'failing' | 'never' | 'off';

export const LOOK_WORD: Record<Look, string> = {
  ok: 'Well',
  failing: 'Failing',
  never: 'Not asked yet',
  off: 'Off',
};

export const LOOK_TONE: Record<Look, Tone> = {
  ok: 'good',
  failing: 'bad',
  never: 'unheard',
  off: 'off',
};

export function lookOf({ enabled, status }: Source): Look {
  return enabled ? status.state : 'off';
}

/** How it is and since when; the error itself stands beside it. */
export function stateOf(source: Source, now: number): string {
  const { status, kind } = source;
  switch (lookOf(source)) {
    case 'off':
      return 'Off: nothing is fetched until it is turned on';
    case 'never':
      return kind === 'http' ? 'Waiting for the first call' : 'About to be asked';
    case 'ok':
      return status.quarantined > 0
        ? `Well; ${counted(status.quarantined, 'file')} could not be read`
        : 'Well';
    case 'failing': {
      const since = status.failing_since;
      const long = since ? ` for ${duration(now - Date.parse(since))}` : '';
      return `Failing${long}`;
    }
  }
}

/** "in 42 s"; a source that is called, or off, has no next time. */
export function nextOf({ enabled, kind, status }: Source, now: number): string {
  if (!enabled || kind === 'http' || !status.next_poll_at) return '–';
  const ms = Date.parse(status.next_poll_at) - now;
  if (status.is_polling) return 'asking';
  return ms <= 0 ? 'now' : `in ${duration(ms)}`;
}

/** "1 of 3 sources is failing; 2 files wait in quarantine". */
export function headline(sources: Source[], waiting: number): string {
  const failing = sources.filter((source) => lookOf(source) === 'failing').length;
  const quarantine =
    waiting > 0
      ? `${counted(waiting, 'file')} ${waiting === 1 ? 'waits' : 'wait'} in quarantine`
      : '';
  if (failing > 0) {
    const of = sources.length === 1 ? 'The source' : `${failing} of ${sources.length} sources`;
    const fails = `${of} ${failing === 1 ? 'is' : 'are'} failing`;
    return quarantine ? `${fails}; ${quarantine}` : fails;
  }
  if (quarantine) return quarantine;
  if (sources.length === 0) return 'No source of drops yet';
  return sources.length === 1
    ? 'The source is well'
    : `${sources.length === 2 ? 'Both' : `All ${sources.length}`} sources are well`;
}

/** "Test call seen 14:02": the HTTP kind's proof that USALive reaches us. */
export function callSeen({ status }: Source, now: number): string {
  const at = status.tested_at;
  return at ? `Test call seen ${shortly(Date.parse(at), now)}` : 'No test call seen yet';
}
