/** What a plane's thread begins with: the cache of compiled code, before there is anything to compile. */
import { workerData } from 'node:worker_threads'
import { useCodeCache } from './code-cache.ts'
import type { PlaneConfig } from './config.ts'
import { paths, prepareStateDir } from './state-dir.ts'

const { stateDir } = workerData as PlaneConfig
// What is wrong with the folder is found again, and told, by the worker itself.
const usable = await prepareStateDir(stateDir).then(
  () => true,
  () => false,
)
if (usable) useCodeCache(paths(stateDir).codeCache, import.meta.dirname)
await import('./worker.ts')
