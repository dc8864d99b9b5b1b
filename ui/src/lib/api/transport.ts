// The one seam between the pages and the world: a browser's and the desktop window's way in.

export interface Request {
  method: 'GET' | 'POST' | 'PUT' | 'PATCH' | 'DELETE';
  path: string;
  /** Sent as JSON; bytes are sent as they are. */
  body?: unknown;
  signal?: AbortSignal;
}

export interface Answer {
  status: number;
  body: string;
}

/** One event of the live stream; `id` is what a later `listen` resumes after. */
export interface LiveMessage {
  id: string | null;
  event: string;
  data: unknown;
}

export interface LiveHandlers {
  opened(): void;
  message(message: LiveMessage): void;
  /** The stream ended; the caller decides when to listen again. */
  lost(): void;
}

export interface ExportProgress {
  entries: number;
  bytes: number;
}

export type ExportOutcome =
  { kind: 'saved'; path: string; entries: number } | { kind: 'cancelled' };

export interface Transport {
  readonly kind: 'browser' | 'window';
  /** Rejects with `Unreachable` when nothing answered; any HTTP status is an answer. */
  send(request: Request): Promise<Answer>;
  /** Events after the one with the id `after` (all from now when null). Returns how to stop. */
  listen(after: string | null, handlers: LiveHandlers): () => void;
  /** Asks for a path and writes the export there; null where a plain link does it (a browser). */
  readonly saveExport:
    | ((
        query: string,
        format: string,
        progress: (now: ExportProgress) => void,
        signal: AbortSignal,
      ) => Promise<ExportOutcome>)
    | null;
}
