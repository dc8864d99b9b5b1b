// The browser's way in: fetch, and Server-Sent Events for the live stream.
import { Unreachable } from './failure';
import type { Answer, LiveHandlers, Request, Transport } from './transport';

/** Every event of `/api/live`. EventSource needs the names. */
const EVENTS = [
  'entries',
  'machine',
  'machines',
  'critical',
  'source',
  'quarantine',
  'reset',
  'tick',
  'navigate',
] as const;

export class BrowserTransport implements Transport {
  readonly kind = 'browser';
  readonly saveExport = null;

  async send({ method, path, body, signal }: Request): Promise<Answer> {
    const init: RequestInit = { method, credentials: 'same-origin' };
    if (signal) init.signal = signal;
    if (body instanceof Uint8Array) init.body = body as Uint8Array<ArrayBuffer>;
    else if (body !== undefined) {
      init.body = JSON.stringify(body);
      init.headers = { 'Content-Type': 'application/json' };
    }
    try {
      const response = await fetch(path, init);
      return { status: response.status, body: await response.text() };
    } catch (error) {
      if (signal?.aborted) throw new DOMException('called off', 'AbortError');
      throw new Unreachable(error instanceof Error ? error.message : String(error));
    }
  }

  listen(after: string | null, handlers: LiveHandlers): () => void {
    const resume = after ? `?after=${encodeURIComponent(after)}` : '';
    const source = new EventSource(`/api/live${resume}`);
    source.onopen = () => handlers.opened();
    // EventSource would try again on its own, at its own pace: we close it and say so, because the
    // window shows since when it is offline and backs off.
    source.onerror = () => {
      source.close();
      handlers.lost();
    };
    for (const event of EVENTS) {
      source.addEventListener(event, (message: MessageEvent<string>) => {
        const data: unknown = message.data ? JSON.parse(message.data) : {};
        handlers.message({ id: message.lastEventId || null, event, data });
      });
    }
    return () => source.close();
  }
}
