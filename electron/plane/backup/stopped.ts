import { existsSync } from 'node:fs'
import { join } from 'node:path'
import { systemClock } from '../../base/clock.ts'
import { FlotillaError } from '../../base/errors.ts'
import { silentLogger } from '../../base/logger.ts'
import { systemRandom } from '../../base/random.ts'
import { DATABASE } from '../../store/embedded/schema.ts'
import { snapshotError } from '../face/store.ts'
import { openStore } from '../open-store.ts'
import { paths, readCluster } from '../state-dir.ts'

/** A snapshot of a cluster whose plane does not run: its store is opened for as long as this is read. */
export async function* snapshotOfStopped(stateDir: string, storeWorkerUrl: string): AsyncGenerator<Uint8Array> {
  const etcd = (await readCluster(stateDir))?.etcd
  if (!etcd && !existsSync(join(paths(stateDir).store, DATABASE))) {
    throw new FlotillaError('INVALID_INPUT', {
      what: 'There is nothing to take a snapshot of.',
      why: `${stateDir} holds no cluster.`,
      next: 'Name the state folder of a cluster with --state.',
    })
  }
  const deps = { clock: systemClock, random: systemRandom, logger: silentLogger }
  await using store = await openStore({ stateDir, storeWorkerUrl, ...(etcd ? { etcd } : {}) }, deps)
  try {
    await using snapshot = await store.maintenance.snapshot()
    yield* snapshot
  } catch (error) {
    throw snapshotError(error)
  }
}
