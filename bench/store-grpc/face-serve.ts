/** Serves a new embedded store to etcd's clients: `node face-serve.ts DIR` prints its port, and stays until it is stopped. */
import { systemClock } from '../../electron/base/clock.ts'
import { silentLogger } from '../../electron/base/logger.ts'
import { createEmbeddedStore } from '../../electron/store/embedded/embedded-store.ts'
import { createEtcdFace } from '../../electron/store/etcd/etcd-face.ts'

const [dir = ''] = process.argv.slice(2)
const deps = { clock: systemClock, logger: silentLogger }
await using stack = new AsyncDisposableStack()
const store = stack.use(await createEmbeddedStore({ ...deps, dir }))
const identity = { clusterId: 1n, memberId: 1n, name: 'bench' }
const face = stack.use(createEtcdFace({ ...deps, store, identity, listen: { port: 0 }, tls: null }))
await face.start()
process.stdout.write(`${new URL(face.url).port}\n`)
await new Promise<void>((resolve) => process.once('SIGTERM', () => resolve()))
