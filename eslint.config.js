'use strict';

const js = require('@eslint/js');
const stylistic = require('@stylistic/eslint-plugin');
const globals = require('globals');

module.exports = [
  { ignores: ['node_modules/', 'target/', '.conformance/', 'bench/results/'] },
  js.configs.recommended,
  stylistic.configs.customize({ indent: 2, quotes: 'single', semi: true, braceStyle: '1tbs', arrowParens: true }),
  {
    files: ['**/*.js', 'bench/compare'],
    languageOptions: { ecmaVersion: 2022, sourceType: 'commonjs', globals: globals.node },
  },
  {
    files: ['**/*.mjs'],
    languageOptions: { ecmaVersion: 2022, sourceType: 'module', globals: globals.nodeBuiltin },
  },
  {
    files: ['scripts/dashboard/page/*.mjs'],
    languageOptions: { globals: globals.browser },
  },
  {
    files: ['bench/servers/bun.js'],
    languageOptions: { globals: globals.bunBuiltin },
  },
  {
    files: ['bench/servers/deno.mjs'],
    languageOptions: { globals: globals.denoBuiltin },
  },
  {
    files: ['test/**/*.js'],
    languageOptions: { globals: globals.mocha },
  },
  {
    linterOptions: { reportUnusedDisableDirectives: 'error' },
    rules: {
      'array-callback-return': 'error',
      'default-case-last': 'error',
      'eqeqeq': ['error', 'always', { null: 'ignore' }],
      'no-constructor-return': 'error',
      'no-implicit-globals': 'error',
      'no-new-func': 'error',
      'no-promise-executor-return': 'error',
      'no-self-compare': 'error',
      'no-shadow': ['error', { builtinGlobals: false, hoist: 'never' }],
      'no-template-curly-in-string': 'error',
      'no-unmodified-loop-condition': 'error',
      'no-unused-vars': ['error', { args: 'after-used', caughtErrors: 'all' }],
      'no-use-before-define': ['error', { functions: false, classes: false, variables: false }],
      'no-var': 'error',
      'object-shorthand': 'error',
      'prefer-const': 'error',
      'strict': ['error', 'global'],
      // Arguments and operands on further lines may be aligned with the first.
      '@stylistic/indent': ['error', 2, {
        SwitchCase: 1, CallExpression: { arguments: 'off' }, ignoredNodes: ['ConditionalExpression', 'TemplateLiteral *'],
      }],
      '@stylistic/indent-binary-ops': 'off',
      '@stylistic/max-len': ['error', { code: 120, ignoreUrls: true, ignoreStrings: true, ignoreTemplateLiterals: true }],
      '@stylistic/max-statements-per-line': ['error', { max: 2 }],
      '@stylistic/multiline-ternary': 'off',
      '@stylistic/no-mixed-operators': 'off',
      '@stylistic/no-multi-spaces': ['error', { ignoreEOLComments: true }],
      '@stylistic/operator-linebreak': ['error', 'after', { overrides: { '?': 'ignore', ':': 'ignore' } }],
      '@stylistic/quote-props': 'off',
      '@stylistic/space-before-function-paren': 'off',
      '@stylistic/lines-between-class-members': 'off',
    },
  },
];
