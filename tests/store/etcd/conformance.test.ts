import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { sleep, systemClock } from '../../../electron/base/clock.ts'
import { silentLogger } from '../../../electron/base/logger.ts'
import { createRemoteStore } from '../../../electron/store/remote/remote-store.ts'
import { storeSuite } from '../../../electron/store/testing/suite.ts'
import { EtcdMember, freePort } from './member.ts'

storeSuite(
  'remote',
  async () => {
    const dir = mkdtempSync(join(tmpdir(), 'store-etcd-'))
    const member = new EtcdMember({ dir, port: await freePort(), peerPort: await freePort() })
    await member.start()
    const open = () => createRemoteStore({ endpoints: [member.url], clock: systemClock, logger: silentLogger })
    let store = await open()
    return {
      store,
      pass: (ms) => sleep(systemClock, ms),
      reopen: async () => {
        await store[Symbol.asyncDispose]()
        await member.kill()
        await member.start()
        return (store = await open())
      },
      close: async () => {
        await store[Symbol.asyncDispose]()
        await member.kill()
        rmSync(dir, { recursive: true })
      },
    }
  },
  { runs: 10, traits: { inOrder: false, keepsCompactedDeletes: false } },
)
