import { readFileSync } from 'node:fs';

import { expect, test } from 'vitest';

const CSS = readFileSync('src/styles/tokens.css', 'utf8').split('@media')[0] ?? '';

/** The light and the dark colour of a token. */
function colours(name: string): [string, string] {
  const found = new RegExp(`--${name}: light-dark\\((#\\w{6}), (#\\w{6})\\)`).exec(CSS);
  if (!found?.[1] || !found[2]) throw new Error(`--${name} has no two colours`);
  return [found[1], found[2]];
}

function luminance(hex: string): number {
  const [r = 0, g = 0, b = 0] = [1, 3, 5].map((at) => {
    const part = parseInt(hex.slice(at, at + 2), 16) / 255;
    return part <= 0.04045 ? part / 12.92 : ((part + 0.055) / 1.055) ** 2.4;
  });
  return 0.2126 * r + 0.7152 * g + 0.0722 * b;
}

function contrast(a: string, b: string): number {
  const [light = 0, dark = 0] = [luminance(a), luminance(b)].sort((x, y) => y - x);
  return (light + 0.05) / (dark + 0.05);
}

const GROUNDS = ['paper', 'surface', 'sunken', 'hover', 'chosen'];
const TEXTS = ['ink', 'ink-2', 'ink-3', 'accent', 'param', 'bad', 'warn', 'good'];
const PAIRS = [
  ...GROUNDS.flatMap((ground) => TEXTS.map((text) => [text, ground])),
  ...['ink', 'ink-2', 'ink-3', 'param', 'bad'].map((text) => [text, 'bad-tint']),
  ['accent-ink', 'accent'],
  ['bad-ink', 'bad-fill'],
  ['ink', 'hit'],
] as [string, string][];

test.each(PAIRS)('%s can be read on %s, in light and in dark', (text, ground) => {
  const [light, dark] = colours(text).map((colour, i) =>
    contrast(colour, colours(ground)[i] ?? ''),
  );
  expect(light).toBeGreaterThanOrEqual(4.5);
  expect(dark).toBeGreaterThanOrEqual(4.5);
});

test('marks can be told from every ground', () => {
  for (const mark of ['bad-fill', 'good-fill', 'warn-fill', 'edge']) {
    for (const [i, colour] of colours(mark).entries()) {
      const floor = mark === 'warn-fill' && i === 0 ? 2.4 : 3;
      expect(contrast(colour, colours('surface')[i] ?? '')).toBeGreaterThanOrEqual(floor);
    }
  }
});
