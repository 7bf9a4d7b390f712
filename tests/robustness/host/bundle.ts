import { join } from 'node:path'
import { rolldown } from 'rolldown'

const ROOT = join(import.meta.dirname, '../../..')

/** Bundles the process with the store into a folder, because it is started thousands of times; returns the path of its script. */
export async function bundleHost(dir: string): Promise<string> {
  await using bundle = await rolldown({
    input: {
      host: join(ROOT, 'tests/robustness/host/host.ts'),
      worker: join(ROOT, 'electron/store/embedded/worker.ts'),
      'unsafe-worker': join(ROOT, 'tests/robustness/planted/unsafe-worker.ts'),
    },
    platform: 'node',
    external: /^node:/,
    logLevel: 'silent',
  })
  await bundle.write({ dir, format: 'esm', entryFileNames: '[name].js', chunkFileNames: '[name]-[hash].js' })
  return join(dir, 'host.js')
}
