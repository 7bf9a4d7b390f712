import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { systemClock } from '../../../electron/base/clock.ts'
import { silentLogger } from '../../../electron/base/logger.ts'
import { randomInt, seededRandom } from '../../../electron/base/random.ts'
import { createEmbeddedStore } from '../../../electron/store/embedded/embedded-store.ts'
import { createRemoteStore } from '../../../electron/store/remote/remote-store.ts'
import type { Op, Store } from '../../../electron/store/store.ts'
import { del, put } from '../../../electron/store/testing/subject.ts'
import { EtcdMember, freePort } from '../etcd/member.ts'

const KEYS = ['a', 'b', 'c']
const STEPS = 60

describe('the hash of a store', () => {
  it.each([1, 2])('is etcd’s at each revision, whatever was deleted and compacted, everything included (seed %i)', async (seed) => {
    await using stack = new AsyncDisposableStack()
    const dir = stack.adopt(mkdtempSync(join(tmpdir(), 'hash-')), (path) => rmSync(path, { recursive: true, force: true }))
    const deps = { clock: systemClock, logger: silentLogger }
    const etcd = stack.use(new EtcdMember({ dir, port: await freePort(), peerPort: await freePort() }))
    await etcd.start()
    const theirs = stack.use(await createRemoteStore({ ...deps, endpoints: [etcd.url], tls: {} }))
    const ours = stack.use(await createEmbeddedStore({ ...deps, dir: join(dir, 'ours'), reserveBytes: 0 }))
    const random = seededRandom(seed)
    const both = <T>(work: (store: Store) => Promise<T>) => Promise.all([work(ours), work(theirs)])
    let revision = 1
    let compacted = 0
    for (let step = 0; step < STEPS; step++) {
      const lot = random.float()
      const key = KEYS[randomInt(random, KEYS.length)] as string
      if (lot < 0.7) {
        const op: Op = lot < 0.35 ? put(key, `value ${step}`) : lot < 0.5 ? del(key) : { type: 'delete', key: 'a', end: 'z' }
        const [{ revision: here }, { revision: there }] = await both((store) => store.txn({ success: [op] }))
        expect(here).toBe(there)
        revision = here
      } else if (lot < 0.85 && revision > compacted) {
        // As a rule at the newest revision, which often is the deletion of the last key.
        compacted = random.float() < 0.7 ? revision : compacted + 1 + randomInt(random, revision - compacted)
        await both((store) => store.compact(compacted))
      } else {
        for (let at = compacted + 1; at <= revision; at++) {
          const [here, there] = await both((store) => store.maintenance.hash(at))
          expect({ at, hash: here.hash }).toEqual({ at, hash: there.hash })
        }
      }
      const [here, there] = await both((store) => store.maintenance.hash())
      expect({ step, hash: here.hash }).toEqual({ step, hash: there.hash })
    }
  })
})
