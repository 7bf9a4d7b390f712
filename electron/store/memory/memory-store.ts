import type { Clock } from '../../base/clock.ts'
import { type Logger, silentLogger } from '../../base/logger.ts'
import { type Random, systemRandom } from '../../base/random.ts'
import type { Backend } from '../mvcc/backend.ts'
import { keyspaceImage } from '../mvcc/keyspace-image.ts'
import { Keyspace } from '../mvcc/keyspace.ts'
import { MvccStore } from '../mvcc/mvcc-store.ts'
import { NO_VALUE, type ReadValue } from '../mvcc/version.ts'
import type { Store } from '../store.ts'

export interface MemoryStoreOptions {
  readonly clock: Clock
  readonly random?: Random
  readonly logger?: Logger
}

/** A store that lives and dies with this process: for tests, and for copies of the state that are only looked at. */
export function createMemoryStore(options: MemoryStoreOptions): Store {
  const { clock, random = systemRandom, logger = silentLogger } = options
  return new MvccStore({ clock, random, logger, backend: createMemoryBackend(), space: new Keyspace(), leases: [] })
}

export function createMemoryBackend(): Backend {
  const read: ReadValue = ({ value }) => value ?? NO_VALUE
  return {
    engine: 'memory',
    depth: 0,
    commit: () => null,
    read,
    refusal: () => null,
    reading: (work) => work(),
    settled() {},
    drop() {},
    past: null,
    stats: () => ({ dbSize: 0, dbSizeInUse: 0, quota: 0, alarms: [] }),
    image: (held) => Promise.resolve(keyspaceImage(held, read)),
    defragment: () => Promise.resolve(),
    check: () => Promise.resolve([]),
    close: () => Promise.resolve(),
  }
}
