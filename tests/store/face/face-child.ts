/** The etcd face over a store, as a process: `node face-child.ts ENGINE DIR` prints its URL, and stays until it is stopped. */
import { systemClock } from '../../../electron/base/clock.ts'
import { silentLogger } from '../../../electron/base/logger.ts'
import { createEmbeddedStore } from '../../../electron/store/embedded/embedded-store.ts'
import { createEtcdFace } from '../../../electron/store/etcd/etcd-face.ts'
import { createMemoryStore } from '../../../electron/store/memory/memory-store.ts'

const [engine, dir = ''] = process.argv.slice(2)
const deps = { clock: systemClock, logger: silentLogger }
const store = engine === 'memory' ? createMemoryStore(deps) : await createEmbeddedStore({ ...deps, dir })
const identity = { clusterId: 0xc0ffeen, memberId: 0xf1n, name: 'flotilla' }
const face = createEtcdFace({ ...deps, store, identity, listen: { port: 0 }, tls: null })
await face.start()
process.stdout.write(`${face.url}\n`)
process.once('SIGTERM', () => {
  void (async () => {
    await face[Symbol.asyncDispose]()
    await store[Symbol.asyncDispose]()
    process.stdout.write(`${JSON.stringify(process.cpuUsage())}\n`)
    process.exit(0)
  })()
})
