import { defineConfig } from 'vitest/config'

/** The UI in a real browser over a fake face: `vitest run --config tests/ui/vitest.config.ts`. One file after the other: they share this machine. */
export default defineConfig({
  test: {
    name: 'ui',
    include: ['tests/ui/**/*.test.ts'],
    environment: 'node',
    pool: 'forks',
    fileParallelism: false,
    testTimeout: 120_000,
    hookTimeout: 120_000,
  },
})
