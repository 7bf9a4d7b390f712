import type { ImageChange, StoreImage } from '../snapshot/image.ts'
import { StoreError } from '../store.ts'
import type { Held } from './backend.ts'
import type { ReadValue, Version } from './version.ts'

/** How many changes are handed out at a time. */
const BATCH = 1000

/** The image of a store whose values all stay in memory: a list of what is retained now. */
export function keyspaceImage({ space, revision, leases }: Held, read: ReadValue): StoreImage {
  const versions = space.retained(revision)
  let disposed = false
  const batches = async function* <T>(of: (version: Version) => T): AsyncGenerator<T[], void> {
    for (let i = 0; i < versions.length; i += BATCH) {
      if (disposed) throw new StoreError('closed', 'the image is closed')
      yield versions.slice(i, i + BATCH).map(of)
    }
  }
  return {
    revision,
    compactRevision: space.compactRevision,
    leases: leases.map(({ id, ttl }) => ({ id, ttl })),
    changes: () => batches(toImageChange),
    entries: () => batches((version) => ({ ...toImageChange(version), value: read(version) })),
    async [Symbol.asyncDispose]() {
      disposed = true
    },
  }
}

function toImageChange({ key, revision, sub, deleted, createRevision, version, lease, size }: Version): ImageChange {
  return { key, revision, sub, deleted, createRevision, version, lease, size }
}
