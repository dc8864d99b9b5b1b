// Bytes that are no text, as people have read them for sixty years: offset, hex, letters. Pure.

const PER_LINE = 16;
/** More is not read by eye: 256 lines. */
export const DUMPED_BYTES = 4096;

export function fromBase64(base64: string): Uint8Array {
  const text = atob(base64);
  return Uint8Array.from(text, (letter) => letter.charCodeAt(0));
}

/** "00000010  56 4d 30 …  VM0…", at most `DUMPED_BYTES` of it. */
export function hexLines(bytes: Uint8Array): string[] {
  const lines: string[] = [];
  for (let at = 0; at < Math.min(bytes.length, DUMPED_BYTES); at += PER_LINE) {
    const part = [...bytes.subarray(at, Math.min(at + PER_LINE, DUMPED_BYTES))];
    const hex = part.map((byte) => byte.toString(16).padStart(2, '0'));
    const left = hex.slice(0, 8).join(' ');
    const right = hex.slice(8).join(' ');
    const letters = part.map((byte) => (isPrintable(byte) ? String.fromCharCode(byte) : '.'));
    const both = `${left}  ${right}`.padEnd(PER_LINE * 3);
    lines.push(`${at.toString(16).padStart(8, '0')}  ${both}  ${letters.join('')}`);
  }
  return lines;
}

/** False when a person would see nothing but marks: zero bytes, or much that is no UTF-8. */
export function looksLikeText(bytes: Uint8Array, text: string): boolean {
  const broken = text.match(/\ufffd/g)?.length ?? 0;
  return !bytes.includes(0) && broken * 20 <= text.length;
}

function isPrintable(byte: number): boolean {
  return byte >= 0x20 && byte < 0x7f;
}
