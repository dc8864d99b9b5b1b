// The address is the state: where we are, and how to get elsewhere. Works on the history API, in a
// browser as in the desktop window.

export interface GoOptions {
  /** Replaces the current address: for what "back" should not step through. */
  replace?: boolean;
  /** Kept with the address across reloads, but not part of it. */
  memory?: Record<string, string>;
}

export class Router {
  path = $state(location.pathname);
  search = $state(location.search);
  memory = $state.raw<Record<string, string>>(readMemory());
  readonly query = $derived(new URLSearchParams(this.search));
  /** The path's segments, decoded: `/machines/VM001` is `['machines', 'VM001']`. */
  readonly parts = $derived(this.path.split('/').filter(Boolean).map(decode));

  /** Takes over links and the back button. Returns how to let go of them. */
  start(): () => void {
    const read = () => this.#read();
    const click = (event: MouseEvent) => this.#follow(event);
    addEventListener('popstate', read);
    document.addEventListener('click', click);
    return () => {
      removeEventListener('popstate', read);
      document.removeEventListener('click', click);
    };
  }

  go(href: string, { replace = false, memory = {} }: GoOptions = {}): void {
    if (replace) history.replaceState(memory, '', href);
    else history.pushState(memory, '', href);
    this.#read();
  }

  #read(): void {
    this.path = location.pathname;
    this.search = location.search;
    this.memory = readMemory();
  }

  #follow(event: MouseEvent): void {
    const plain = event.button === 0 && !event.metaKey && !event.ctrlKey && !event.shiftKey;
    if (event.defaultPrevented || !plain) return;
    const link = event.target instanceof Element ? event.target.closest('a') : null;
    const href = link?.getAttribute('href');
    if (!link || !href?.startsWith('/') || href.startsWith('/api/')) return;
    if (link.target || link.hasAttribute('download')) return;
    event.preventDefault();
    this.go(href);
  }
}

function readMemory(): Record<string, string> {
  const state: unknown = history.state;
  return typeof state === 'object' && state !== null ? (state as Record<string, string>) : {};
}

function decode(part: string): string {
  try {
    return decodeURIComponent(part);
  } catch {
    return part;
  }
}
