import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { FakeClock } from '../../base/fake-clock.ts'
import { silentLogger } from '../../base/logger.ts'
import { seededRandom } from '../../base/random.ts'
import { storeSuite } from '../testing/suite.ts'
import { createEmbeddedStore } from './embedded-store.ts'

storeSuite(
  'embedded',
  async () => {
    const dir = mkdtempSync(join(tmpdir(), 'store-'))
    const clock = new FakeClock()
    const open = () => createEmbeddedStore({ dir, clock, logger: silentLogger, random: seededRandom(1), reserveBytes: 4096 })
    let store = await open()
    return {
      store,
      // A lease that expires is gone when its deletion is durable, which listing waits for.
      pass: async (ms) => {
        await clock.advance(ms)
        await store.lease.list()
      },
      reopen: async () => {
        await store[Symbol.asyncDispose]()
        return (store = await open())
      },
      close: async () => {
        await store[Symbol.asyncDispose]()
        rmSync(dir, { recursive: true })
      },
    }
  },
  { runs: 30 },
)
