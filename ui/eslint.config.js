// Lints of the window. House rules as lints: no HTML from text, the shell only behind lib/api.
import js from '@eslint/js';
import svelte from 'eslint-plugin-svelte';
import globals from 'globals';
import ts from 'typescript-eslint';

import svelteConfig from './svelte.config.js';

export default ts.config(
  { ignores: ['dist/', 'node_modules/', 'src/lib/api/schema.d.ts'] },
  js.configs.recommended,
  ...ts.configs.strict,
  ...svelte.configs.recommended,
  { languageOptions: { globals: { ...globals.browser, ...globals.node } } },
  {
    files: ['**/*.svelte', '**/*.svelte.ts'],
    languageOptions: {
      parserOptions: { parser: ts.parser, extraFileExtensions: ['.svelte'], svelteConfig },
    },
  },
  {
    rules: {
      'svelte/no-at-html-tags': 'error',
      // Our router takes plain addresses; `resolve()` is SvelteKit's.
      'svelte/no-navigation-without-resolve': 'off',
      'no-restricted-imports': [
        'error',
        { patterns: [{ group: ['@tauri-apps/*'], message: 'Only lib/api speaks to the shell.' }] },
      ],
      // State here is replaced, not changed in place: plain Maps and Dates inside it are values.
      'svelte/prefer-svelte-reactivity': 'off',
      'max-lines': ['error', { max: 300 }],
    },
  },
  { files: ['**/*.svelte'], rules: { 'max-lines': ['error', { max: 150 }] } },
  { files: ['src/lib/api/**'], rules: { 'no-restricted-imports': 'off' } },
);
