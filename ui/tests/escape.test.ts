import { expect, test } from 'vitest';

import { plain, visible } from '../src/lib/logs/escape';

test('ordinary text stays as it is', () => {
  const text = 'Größe 20 °C – “ok” 日本 🧼\tTab';
  expect(visible(text)).toEqual([{ text, escaped: false }]);
});

test('terminal, bidirectional, zero-width and broken characters are written out', () => {
  expect(plain('\u001b[31mred')).toBe('\\x1b[31mred');
  expect(plain('\u0000\u0007\u007f\u009b')).toBe('\\x00\\x07\\x7f\\x9b');
  expect(plain('\u202egpj.exe\u2066\u2069')).toBe('\\u202egpj.exe\\u2066\\u2069');
  expect(plain('a\u200bb\ufeffc\u00add')).toBe('a\\u200bb\\ufeffc\\xadd');
  expect(plain('line\u2028sep\u2029')).toBe('line\\u2028sep\\u2029');
  expect(plain('\ud800 half \udc00')).toBe('\\ud800 half \\udc00');
  expect(plain('tag \u{e0041}')).toBe('tag \\u{e0041}');
});

test('carriage returns cannot hide what stands before them', () => {
  expect(plain('paid\rdeclined')).toBe('paid\\x0ddeclined');
});

test('line feeds and tabs are left to the layout', () => {
  expect(plain('a\n\tb')).toBe('a\n\tb');
});
