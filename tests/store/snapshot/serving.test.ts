import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { systemClock } from '../../../electron/base/clock.ts'
import { silentLogger } from '../../../electron/base/logger.ts'
import { seededRandom } from '../../../electron/base/random.ts'
import { createEmbeddedStore } from '../../../electron/store/embedded/embedded-store.ts'
import { readSnapshot } from '../../../electron/store/snapshot/read-snapshot.ts'
import { restoreSnapshot } from '../../../electron/store/snapshot/restore-snapshot.ts'
import type { Store } from '../../../electron/store/store.ts'
import { put } from '../../../electron/store/testing/subject.ts'
import { saveTo } from './etcdctl.ts'
import { traffic } from './traffic.ts'

const deps = { clock: systemClock, logger: silentLogger }
/** Written together, always with the same value. */
const TWINS = ['twin/a', 'twin/b', 'twin/c']

describe('snapshots of a store that is written to and compacted', () => {
  it('each hold one moment, whole: nothing missing, nothing half, and all that was acknowledged before', async () => {
    const root = mkdtempSync(join(tmpdir(), 'snapshot-serving-'))
    const store = await createEmbeddedStore({ ...deps, dir: join(root, 'store'), reserveBytes: 4096 })
    const done = new AbortController()
    const busy = [churn(store, done.signal), twins(store, done.signal)]
    try {
      for (let i = 0; i < 5; i++) {
        await expect.poll(async () => (await store.status()).revision).toBeGreaterThan(100 * (i + 1))
        const { revision } = await store.status()
        const path = join(root, `${i}.snap`)
        await saveTo(store, path)
        await using file = await readSnapshot(path)
        expect(file.revision).toBeGreaterThanOrEqual(revision)
        // Opening it looks for gaps and for versions that do not follow from each other.
        await restoreSnapshot({ ...deps, file, dir: join(root, `restored-${i}`) })
        await using copy = await createEmbeddedStore({ ...deps, dir: join(root, `restored-${i}`), reserveBytes: 4096 })
        const { kvs } = await copy.range({ key: 'twin/', end: 'twin0' })
        expect(new Set(kvs.map(({ modRevision, value }) => `${modRevision} ${Buffer.from(value).toString()}`)).size).toBe(1)
        expect(await copy.status()).toMatchObject({ revision: file.revision, keys: file.keys, compactRevision: file.compactRevision })
        expect(await copy.maintenance.check()).toEqual([])
      }
    } finally {
      done.abort()
      await Promise.all(busy)
      await store[Symbol.asyncDispose]()
      rmSync(root, { recursive: true })
    }
  })
})

async function churn(store: Store, until: AbortSignal): Promise<void> {
  for (let seed = 1; !until.aborted; seed++) {
    const revision = await traffic(store, seededRandom(seed), 20)
    if (revision > 60) await store.compact(revision - 50)
  }
}

async function twins(store: Store, until: AbortSignal): Promise<void> {
  for (let i = 0; !until.aborted; i++) await store.txn({ success: TWINS.map((key) => put(key, String(i))) })
}
