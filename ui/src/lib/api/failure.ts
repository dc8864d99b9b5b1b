// Why a request failed, in a shape that pages can show and act on.

/** Nothing answered: the server is off, or the network is. */
export class Unreachable extends Error {
  override name = 'Unreachable';
}

/** The server answered with an error. `code` is for programs, `message` for people. */
export class Refused extends Error {
  override name = 'Refused';
  constructor(
    readonly status: number,
    readonly code: string,
    message: string,
    /** What is wrong with a document, each with its place; of most refusals nothing. */
    readonly wrong: { place: string; words: string }[] = [],
  ) {
    super(message);
  }
}

export interface Failure {
  /** What happened. */
  title: string;
  /** The cause and the next step. */
  detail: string;
}

/** True when the request was called off by us: nothing to show. */
export function wasAborted(error: unknown): boolean {
  return error instanceof DOMException && error.name === 'AbortError';
}

/** Words for `error`, where `what` names what was wanted ("the log lines"). */
export function describe(error: unknown, what: string): Failure {
  if (error instanceof Unreachable) {
    return {
      title: `Could not load ${what}: the server does not answer`,
      detail: 'Check that Vendlog runs on the operations PC and that this computer reaches it.',
    };
  }
  if (error instanceof Refused) {
    return { title: `Could not load ${what}`, detail: `${error.message} (${error.code})` };
  }
  const cause = error instanceof Error ? error.message : String(error);
  return { title: `Could not load ${what}`, detail: `This is a fault of Vendlog itself: ${cause}` };
}
