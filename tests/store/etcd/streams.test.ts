import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect, it } from 'vitest'
import { systemClock } from '../../../electron/base/clock.ts'
import { silentLogger } from '../../../electron/base/logger.ts'
import { createRemoteStore } from '../../../electron/store/remote/remote-store.ts'
import { put } from '../../../electron/store/testing/subject.ts'
import { EtcdMember, freePort } from './member.ts'

it('watchers that end as soon as they begin leave nothing open at etcd', async () => {
  await using stack = new AsyncDisposableStack()
  const dir = stack.adopt(mkdtempSync(join(tmpdir(), 'streams-')), (path) => rmSync(path, { recursive: true, force: true }))
  const etcd = stack.use(new EtcdMember({ dir, port: await freePort(), peerPort: await freePort() }))
  await etcd.start()
  const store = stack.use(await createRemoteStore({ endpoints: [etcd.url], clock: systemClock, logger: silentLogger, tls: {} }))
  const open = async () => {
    const metrics = await (await fetch(`${etcd.url}/metrics`)).text()
    return /^etcd_debugging_mvcc_watch_stream_total (\d+)/m.exec(metrics)?.[1]
  }
  for (let turns = 0; turns < 5; turns++) {
    for (let i = 0; i < 5; i++) {
      const watcher = store.watch({ key: 'a', end: 'z' })
      await watcher.created
      for (let turn = 0; turn < turns; turn++) await Promise.resolve()
      await watcher[Symbol.asyncDispose]()
    }
  }
  // What this one hears comes after all that was said before it on the connection.
  await using last = store.watch({ key: 'a', end: 'z' })
  await last.created
  await store.txn({ success: [put('b', 'value')] })
  const first = await last[Symbol.asyncIterator]().next()
  expect(first.value?.events).toHaveLength(1)
  await expect.poll(open, { timeout: 10_000 }).toBe('1')
})
