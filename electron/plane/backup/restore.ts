import { existsSync } from 'node:fs'
import { rmdir } from 'node:fs/promises'
import { systemClock } from '../../base/clock.ts'
import { FlotillaError } from '../../base/errors.ts'
import { silentLogger } from '../../base/logger.ts'
import { readSnapshot } from '../../store/snapshot/read-snapshot.ts'
import { restoreSnapshot } from '../../store/snapshot/restore-snapshot.ts'
import { paths, prepareStateDir, readCluster } from '../state-dir.ts'
import { factsOf, type SnapshotFacts } from './write-file.ts'

/** Makes the store of a state folder from a snapshot; other parts of the folder stay as they are. All or nothing. */
export async function restoreInto(
  stateDir: string,
  file: string,
  options: { skipHashCheck: boolean; bumpRevision: number },
): Promise<SnapshotFacts> {
  await using snapshot = await readSnapshot(file, options)
  const isNew = !existsSync(stateDir)
  try {
    await prepareStateDir(stateDir)
    const etcd = (await readCluster(stateDir))?.etcd
    if (etcd) throw elsewhere(file, etcd.endpoints)
    const { bumpRevision } = options
    await restoreSnapshot({ file: snapshot, dir: paths(stateDir).store, bumpRevision, clock: systemClock, logger: silentLogger })
  } catch (error) {
    if (isNew) await rmdir(stateDir).catch(() => undefined)
    throw error
  }
  return factsOf(snapshot)
}

function elsewhere(file: string, endpoints: readonly string[]): FlotillaError {
  return new FlotillaError('INVALID_INPUT', {
    what: `The snapshot ${file} was not restored.`,
    why: `This cluster's objects are not in the state folder, but in the etcd at ${endpoints.join(', ')}.`,
    next: 'Restore it there with `etcdctl snapshot restore`, which takes the same file.',
  })
}
