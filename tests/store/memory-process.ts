/**
 * Fills an embedded store in DIR with COUNT objects of SIZE bytes, opens it again, reads all of it page by page, and prints what that
 * took: `node --expose-gc memory-process.ts DIR COUNT SIZE`.
 */
import { systemClock } from '../../electron/base/clock.ts'
import { silentLogger } from '../../electron/base/logger.ts'
import { createEmbeddedStore } from '../../electron/store/embedded/embedded-store.ts'
import type { Store } from '../../electron/store/store.ts'

export interface MemoryUse {
  readonly keys: number
  readonly bytes: number
  /** By how many bytes JavaScript's memory, buffers included, has grown. */
  readonly grown: number
  readonly openMilliseconds: number
}

const BATCH = 1000

async function fill(store: Store, count: number, size: number): Promise<void> {
  for (let i = 0; i < count; i += BATCH) {
    await Promise.all(
      Array.from({ length: BATCH }, (_, j) => {
        const key = `/registry/pods/namespace-${(i + j) % 100}/deployment-6d4cf56db6-${String(i + j).padStart(5, '0')}`
        return store.txn({ success: [{ type: 'put', key, value: Buffer.alloc(size, i + j) }] })
      }),
    )
  }
}

async function readAll(store: Store): Promise<number> {
  let bytes = 0
  for (let from = '/'; ;) {
    const { kvs, more } = await store.range({ key: from, end: '0', limit: 500 })
    for (const { value } of kvs) bytes += value.byteLength
    if (!more) return bytes
    from = `${kvs.at(-1)?.key}\0`
  }
}

function memory(): number {
  globalThis.gc?.()
  const { heapUsed, arrayBuffers } = process.memoryUsage()
  return heapUsed + arrayBuffers
}

export async function measure(dir: string, count: number, size: number): Promise<MemoryUse> {
  const open = () => createEmbeddedStore({ dir, clock: systemClock, logger: silentLogger })
  const first = await open()
  await fill(first, count, size)
  await first[Symbol.asyncDispose]()
  const before = memory()
  const began = systemClock.monotonic()
  await using store = await open()
  const openMilliseconds = Math.round(systemClock.monotonic() - began)
  const bytes = await readAll(store)
  return { keys: (await store.status()).keys, bytes, grown: memory() - before, openMilliseconds }
}

if (import.meta.main) {
  const [dir, count, size] = process.argv.slice(2)
  console.log(JSON.stringify(await measure(dir as string, Number(count), Number(size))))
}
