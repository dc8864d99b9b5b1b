// The desktop window's way in: the shell's commands. See src-tauri/src/commands.rs for the shapes.
import { Channel, invoke } from '@tauri-apps/api/core';

import { Unreachable } from './failure';
import type {
  Answer,
  ExportOutcome,
  ExportProgress,
  LiveHandlers,
  LiveMessage,
  Request,
  Transport,
} from './transport';

/** The frame of an answer opens with the length of its head, a big-endian u32. */
const LENGTH_BYTES = 4;

/** A command that failed rejects with the shell's `{code, message}`. */
interface Problem {
  code?: string;
  message?: string;
}

interface Saved {
  path: string;
  entries: number;
  bytes: number;
}

export class WindowTransport implements Transport {
  readonly kind = 'window';

  async send({ method, path, body, signal }: Request): Promise<Answer> {
    const bytes = body instanceof Uint8Array ? [...body] : null;
    const text = body === undefined || bytes ? null : JSON.stringify(body);
    const headers = text === null ? {} : { 'content-type': 'application/json' };
    let frame: ArrayBuffer;
    try {
      frame = await invoke<ArrayBuffer>('api', { method, path, headers, body: text, bytes });
    } catch (error) {
      throw new Unreachable(words(error));
    }
    // The shell cannot call a request off, but its late answer must not be taken for a new one.
    if (signal?.aborted) throw new DOMException('called off', 'AbortError');
    return unframe(frame);
  }

  listen(after: string | null, handlers: LiveHandlers): () => void {
    const channel = new Channel<LiveMessage>();
    let id: number | null = null;
    let stopped = false;
    channel.onmessage = (message) => {
      if (!stopped) handlers.message(message);
    };
    const end = (subscription: number) => void invoke('unsubscribe', { id: subscription });
    invoke<number>('subscribe', { channel, after }).then(
      (given) => {
        id = given;
        if (stopped) end(given);
        else handlers.opened();
      },
      () => handlers.lost(),
    );
    return () => {
      stopped = true;
      if (id !== null) end(id);
    };
  }

  readonly saveExport = async (
    query: string,
    format: string,
    progress: (now: ExportProgress) => void,
    signal: AbortSignal,
  ): Promise<ExportOutcome> => {
    const onProgress = new Channel<ExportProgress>();
    onProgress.onmessage = progress;
    const cancel = () => void invoke('cancel_export');
    signal.addEventListener('abort', cancel, { once: true });
    try {
      const saved = await invoke<Saved | null>('export', { query, format, onProgress });
      if (!saved) return { kind: 'cancelled' };
      return { kind: 'saved', path: saved.path, entries: saved.entries };
    } catch (error) {
      throw new Error(words(error), { cause: error });
    } finally {
      signal.removeEventListener('abort', cancel);
    }
  };
}

/** Takes an answer apart: head length, head as JSON, body. */
export function unframe(frame: ArrayBuffer): Answer {
  const headEnd = LENGTH_BYTES + new DataView(frame).getUint32(0);
  const text = (from: number, to: number) => new TextDecoder().decode(frame.slice(from, to));
  const head = JSON.parse(text(LENGTH_BYTES, headEnd)) as { status: number };
  return { status: head.status, body: text(headEnd, frame.byteLength) };
}

function words(error: unknown): string {
  const { message } = (error ?? {}) as Problem;
  return message ?? String(error);
}
