// Words of others inside our own.

/** "Cellular" for "cellular". */
export function upperFirst(text: string): string {
  return text.charAt(0).toUpperCase() + text.slice(1);
}

/** A message as a sentence of its own: begins large, unless it begins with a name such as a host's. */
export function asSentence(text: string): string {
  return /^[a-z]+ /.test(text) ? upperFirst(text) : text;
}
