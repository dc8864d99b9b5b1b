// Log text is hostile: what cannot be seen, or changes how other text is seen, is shown by its code.

/**
 * Control characters (ANSI begins with one), soft hyphen, zero-width and bidirectional marks,
 * separators that break lines, tags, and halves of surrogate pairs. Tab and LF are the caller's.
 */
const HIDDEN =
  // eslint-disable-next-line no-control-regex -- finding control characters is its very purpose
  /[\u0000-\u0008\u000b-\u001f\u007f-\u009f\u00ad\u061c\u115f\u1160\u180e\u200b-\u200f\u2028-\u202e\u2060-\u206f\u3164\ufeff\uffa0\ufff9-\ufffb]|[\u{e0000}-\u{e007f}]|[\ud800-\udbff](?![\udc00-\udfff])|(?<![\ud800-\udbff])[\udc00-\udfff]/gu;

export interface Visible {
  text: string;
  /** True when `text` stands for a character that cannot be shown. */
  escaped: boolean;
}

/** Cuts `text` into what can be shown as it is and escapes such as `\x1b` and `\u202e`. */
export function visible(text: string): Visible[] {
  const pieces: Visible[] = [];
  let from = 0;
  for (const found of text.matchAll(HIDDEN)) {
    if (found.index > from) pieces.push({ text: text.slice(from, found.index), escaped: false });
    pieces.push({ text: code(found[0]), escaped: true });
    from = found.index + found[0].length;
  }
  if (from < text.length) pieces.push({ text: text.slice(from), escaped: false });
  return pieces;
}

/** The whole text with its hidden characters written out, for titles and labels. */
export function plain(text: string): string {
  return visible(text)
    .map((piece) => piece.text)
    .join('');
}

function code(character: string): string {
  const point = character.codePointAt(0) ?? 0;
  if (point < 0x100) return `\\x${point.toString(16).padStart(2, '0')}`;
  if (point < 0x10000) return `\\u${point.toString(16).padStart(4, '0')}`;
  return `\\u{${point.toString(16)}}`;
}
