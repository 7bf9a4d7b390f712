import { type Clock, systemClock } from '../../../electron/base/clock.ts'
import { jsonLogger } from '../../../electron/base/logger.ts'
import { createEmbeddedStore } from '../../../electron/store/embedded/embedded-store.ts'
import { createMemoryStore } from '../../../electron/store/memory/memory-store.ts'
import type { Store } from '../../../electron/store/store.ts'
import { isPlantedBug, PLANTED_BUGS } from '../planted/bugs.ts'

export interface OpenedEngine {
  readonly store: Store
  readonly port: number | null
}

/** What the engine holds back for a full disk: little, because the disks that fill up here are small. */
const RESERVE = 64 * 1024
/** A cache so small that most values are read from disk. */
const CACHE = 8 * 1024

/** A full disk is looked at again every few seconds; here time is short. */
const clock: Clock = { ...systemClock, setInterval: (fn, ms, options) => systemClock.setInterval(fn, ms >= 5000 ? 100 : ms, options) }
const logger = jsonLogger({ clock, sink: (line) => process.stderr.write(`${line}\n`) })

/** Opens the engine of this name over the files in `dir`; `ENGINE:BUG` has that bug planted in it. */
export async function openEngine(name: string, dir: string): Promise<OpenedEngine> {
  const [engine, bug = ''] = name.split(':')
  const planted = isPlantedBug(bug) ? PLANTED_BUGS[bug] : null
  const wrapped = (store: Store): OpenedEngine => ({ store: planted?.wrap?.(store) ?? store, port: null })
  switch (engine) {
    case 'memory':
      return wrapped(planted?.make?.() ?? createMemoryStore({ clock: planted?.clock ?? clock }))
    case 'embedded': {
      const workerUrl = new URL(planted?.worker ?? './worker.js', import.meta.url)
      const options = { dir, logger, workerUrl, reserveBytes: RESERVE, cacheBytes: CACHE }
      return wrapped(await createEmbeddedStore({ ...options, clock: planted?.clock ?? clock }))
    }
    default:
      throw new Error(`there is no engine ${name}`)
  }
}
