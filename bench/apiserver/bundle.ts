import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { rolldown } from 'rolldown'

const ROOT = join(import.meta.dirname, '../..')

/** What is measured is what is shipped: a bundle. Returns the paths of the server and of its store's thread. */
export async function bundleOurs(dir: string): Promise<{ readonly server: string; readonly worker: string }> {
  await using bundle = await rolldown({
    input: { server: fileURLToPath(new URL('./ours.ts', import.meta.url)), worker: join(ROOT, 'electron/store/embedded/worker.ts') },
    platform: 'node',
    external: /^node:/,
    logLevel: 'silent',
  })
  await bundle.write({ dir, format: 'esm', entryFileNames: '[name].mjs', chunkFileNames: '[name]-[hash].mjs', minify: false })
  return { server: join(dir, 'server.mjs'), worker: join(dir, 'worker.mjs') }
}
