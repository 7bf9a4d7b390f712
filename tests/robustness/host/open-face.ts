import { systemClock } from '../../../electron/base/clock.ts'
import { silentLogger } from '../../../electron/base/logger.ts'
import { createEtcdFace } from '../../../electron/store/etcd/etcd-face.ts'
import type { Store } from '../../../electron/store/store.ts'

/** Serves the store to etcd's clients on this port of the loopback, until disposed. */
export async function openFace(store: Store, port: number): Promise<AsyncDisposable> {
  const identity = { clusterId: 1n, memberId: 2n, name: 'robustness' }
  const face = createEtcdFace({ store, clock: systemClock, logger: silentLogger, listen: { port }, tls: null, identity })
  await face.start()
  return face
}
