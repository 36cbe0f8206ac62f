import { defineConfig } from 'vitest/config'

const folders = '{packages,plugins,examples}/*/src/**'
const integration = [`${folders}/*.integration.test.ts`, 'test/**/*.integration.test.ts']
const boot = ['test/**/*.boot.test.ts']

export default defineConfig({
  test: {
    disableConsoleIntercept: true,
    projects: [
      {
        test: {
          name: 'unit',
          include: [`${folders}/*.test.ts`, 'test/**/*.test.ts'],
          exclude: ['**/node_modules/**', '**/dist/**', ...integration, ...boot],
          // property tests on a machine that has other work
          testTimeout: 30_000,
        },
      },
      { test: { name: 'integration', include: integration, testTimeout: 900_000, hookTimeout: 900_000 } },
      {
        test: {
          name: 'boot',
          include: boot,
          testTimeout: 1_800_000,
          hookTimeout: 1_800_000,
        },
      },
    ],
  },
})
