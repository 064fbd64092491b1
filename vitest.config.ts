import { defineConfig } from 'vitest/config'

const source = { conditions: ['@evtkit/source'] }
// The last one is where vitest runs the global set-up.
const shared = { resolve: source, ssr: { resolve: source }, environments: { __vitest__: { resolve: source } } }

export default defineConfig({
  test: {
    reporters: ['default', './test/closing-line.ts'],
    projects: [
      {
        ...shared,
        test: {
          name: 'unit',
          include: ['packages/*/src/**/*.test.ts', 'examples/**/*.test.ts', 'benchmarks/**/*.test.ts'],
          exclude: ['**/node_modules/**', '**/dist/**', '**/*.integration.test.ts'],
          setupFiles: ['./test/leaks.ts'],
        },
      },
      {
        ...shared,
        test: {
          name: 'integration',
          include: [
            'packages/*/src/**/*.integration.test.ts',
            'examples/**/*.integration.test.ts',
            'test/**/*.integration.test.ts',
          ],
          exclude: ['**/node_modules/**', '**/dist/**'],
          globalSetup: ['./test/real-servers.ts'],
          setupFiles: ['./test/leaks.ts'],
          testTimeout: 60_000,
          hookTimeout: 60_000,
          maxWorkers: 2,
          // After the unit tests: real servers and processes want the computer for themselves.
          sequence: { groupOrder: 1 },
        },
      },
      {
        ...shared,
        test: {
          name: 'house',
          include: ['test/rooms.test.ts', 'test/readme.test.ts'],
        },
      },
      {
        ...shared,
        test: {
          name: 'types',
          include: [],
          typecheck: {
            enabled: true,
            only: true,
            include: ['packages/*/src/**/*.test-d.ts'],
            tsconfig: './tsconfig.json',
          },
        },
      },
    ],
  },
})
