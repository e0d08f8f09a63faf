// What all JavaScript of the repository is checked for: ESLint's recommended rules, and those that
// find mistakes which they don't.

import js from '@eslint/js';
import globals from 'globals';

/** Names of the window that are more likely a variable that was forgotten. */
const CONFUSING = [
  'close',
  'closed',
  'event',
  'external',
  'find',
  'frames',
  'history',
  'length',
  'name',
  'open',
  'origin',
  'parent',
  'print',
  'screen',
  'status',
  'stop',
  'top',
];

/**
 * Classic scripts in the JavaScript of their time: the shims as published, and what surrounds them.
 */
const CLASSIC = [
  'relay/src/protocols/signalr/proxy.js',
  'tests/e2e/pages/old-page.js',
  'tests/e2e/pages/old-shims.js',
  'tests/e2e/pages/seed-socketio.js',
  'tests/support/seed-shim.js',
];

export default [
  // Built.
  { ignores: ['dist/', 'pkg/', 'release/', 'target/'] },
  js.configs.recommended,
  {
    linterOptions: { reportUnusedDisableDirectives: 'error' },
    rules: {
      'array-callback-return': 'error',
      'default-case-last': 'error',
      'eqeqeq': 'error',
      'no-constructor-return': 'error',
      'no-implicit-globals': 'error',
      'no-new-func': 'error',
      'no-new-wrappers': 'error',
      'no-restricted-globals': ['error', ...CONFUSING],
      'no-self-compare': 'error',
      'no-template-curly-in-string': 'error',
      'no-unmodified-loop-condition': 'error',
      'no-unreachable-loop': 'error',
      'no-unused-expressions': 'error',
      'no-use-before-define': ['error', { functions: false, classes: false, variables: false }],
      'no-var': 'error',
      'prefer-const': ['error', { ignoreReadBeforeAssign: true }],
      'symbol-description': 'error',
    },
  },
  {
    files: ['**/*.mjs', 'eslint.config.js', 'relay/npm/*.js'],
    languageOptions: { globals: globals.nodeBuiltin },
  },
  {
    // Those of tests and benches run in Node, and hand functions to pages.
    files: ['src/**', 'www/**', 'npm/**', 'tests/**', 'benches/**'],
    languageOptions: { globals: globals.browser },
  },
  {
    files: CLASSIC,
    languageOptions: {
      sourceType: 'script',
      globals: {
        ...globals.browser,
        connection: 'readonly',
        data: 'writable',
        io: 'readonly',
        server: 'readonly',
      },
    },
    rules: {
      'eqeqeq': 'off',
      'no-implicit-globals': 'off',
      'no-redeclare': ['error', { builtinGlobals: false }],
      'no-unused-vars': ['error', { vars: 'local' }],
      'no-var': 'off',
    },
  },
];
