import { type Clock, systemClock } from '../../../electron/base/clock.ts'
import { jsonLogger } from '../../../electron/base/logger.ts'
import { createEmbeddedStore } from '../../../electron/store/embedded/embedded-store.ts'
import { createMemoryStore } from '../../../electron/store/memory/memory-store.ts'
import type { Store } from '../../../electron/store/store.ts'
import { isPlantedBug, PLANTED_BUGS } from '../planted/bugs.ts'

/** What the engine holds back for a full disk: little, because the disks that fill up here are small. */
const RESERVE = 64 * 1024
/** A cache so small that most values are read from disk. */
const CACHE = 8 * 1024

/** A full disk is looked at again every few seconds; here time is short. */
const clock: Clock = { ...systemClock, setInterval: (fn, ms, options) => systemClock.setInterval(fn, ms >= 5000 ? 100 : ms, options) }
const logger = jsonLogger({ clock, sink: (line) => process.stderr.write(`${line}\n`) })

/**
 * Opens the engine of this name over the files in `dir`; `ENGINE:BUG` has that bug planted in it. `face` is the embedded engine that is
 * also served to etcd's clients on `port`, until the stack is disposed.
 */
export async function openEngine(stack: AsyncDisposableStack, name: string, dir: string, port: number): Promise<Store> {
  const [engine, bug = ''] = name.split(':')
  const planted = isPlantedBug(bug) ? PLANTED_BUGS[bug] : null
  const time = planted?.clock ?? clock
  const open = (): Store | Promise<Store> => {
    if (engine === 'memory') return planted?.make?.() ?? createMemoryStore({ clock: time })
    const workerUrl = new URL(planted?.worker ?? './worker.js', import.meta.url)
    return createEmbeddedStore({ dir, logger, workerUrl, reserveBytes: RESERVE, cacheBytes: CACHE, clock: time })
  }
  const store = stack.use(await open())
  if (engine === 'face') stack.use(await (await import('./open-face.ts')).openFace(store, port))
  return planted?.wrap?.(store) ?? store
}
