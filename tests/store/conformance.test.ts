import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { FakeClock } from '../../electron/base/fake-clock.ts'
import { silentLogger } from '../../electron/base/logger.ts'
import { seededRandom } from '../../electron/base/random.ts'
import { createEmbeddedStore } from '../../electron/store/embedded/embedded-store.ts'
import { storeSuite } from '../../electron/store/testing/suite.ts'

storeSuite(
  'embedded',
  async () => {
    const dir = mkdtempSync(join(tmpdir(), 'store-'))
    const clock = new FakeClock()
    // With its history it is in history.test.ts.
    const options = { dir, clock, logger: silentLogger, random: seededRandom(1), reserveBytes: 4096, cacheBytes: 1, historyBytes: 0 }
    const open = () => createEmbeddedStore(options)
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
  { runs: 60 },
)
