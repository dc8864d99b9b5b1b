// Words of others inside our own.

/** "Cellular" for "cellular". */
export function upperFirst(text: string): string {
  return text.charAt(0).toUpperCase() + text.slice(1);
}

/** A message as a sentence of its own: begins large, unless it begins with a name: one with a dot, or `name`. */
export function asSentence(text: string, name = ''): string {
  const isName = name !== '' && text.startsWith(`${name} `);
  return !isName && /^[a-z]+ /.test(text) ? upperFirst(text) : text;
}
