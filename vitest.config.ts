import vue from '@vitejs/plugin-vue'
import { defineConfig } from 'vitest/config'

/**
 * Projects: `unit` beside the source (no root, no network, no real parts), `renderer` in a DOM, and one per folder of `tests/`
 * that needs real parts; their files run one after the other, because they share this machine. The files of `unit` and `renderer` share
 * modules (`isolate: false`), most of whose time they would spend importing: nothing there may keep state.
 */
const real = (name: string, timeout = 120_000) => ({
  test: {
    name,
    include: [`tests/${name}/**/*.test.ts`],
    environment: 'node' as const,
    pool: 'forks' as const,
    fileParallelism: false,
    testTimeout: timeout,
    hookTimeout: timeout,
    // What is waited for may take its time on a busy machine.
    expect: { poll: { timeout: 30_000, interval: 100 } },
  },
})

export default defineConfig({
  test: {
    projects: [
      {
        test: {
          name: 'unit',
          include: ['electron/**/*.test.ts', 'scripts/**/*.test.ts'],
          environment: 'node',
          testTimeout: 15_000,
          isolate: false,
        },
      },
      {
        plugins: [vue()],
        test: { name: 'renderer', include: ['renderer/**/*.test.ts'], environment: 'happy-dom', testTimeout: 15_000, isolate: false },
      },
      ...[
        'tooling',
        'store',
        'robustness',
        'api',
        'api-security',
        'kubectl',
        'clients',
        'fuzz',
        'simulation',
        'properties',
        'shell',
        'packaging',
        'agent',
        'net',
        'conformance',
      ].map((name) => real(name)),
      // Chromium starved of a processor now and then draws no frame for half a minute; what is really broken fails twice.
      { test: { ...real('ui').test, retry: 1 } },
      ...['hosts', 'laptop', 'e2e'].map((name) => real(name, 300_000)),
      // Machines that are emulated instruction by instruction take minutes to boot.
      real('vm', 900_000),
    ],
  },
})
