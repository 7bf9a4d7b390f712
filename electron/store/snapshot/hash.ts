import type { Key } from '../store.ts'
import { crc32c } from './crc32c.ts'
import { headSize, LONGEST_REVISION_KEY, tailSize, writeHead, writeRevisionKey, writeTail } from './entry.ts'
import type { ImageChange, StoreImage } from './image.ts'

/**
 * etcd's HashKV: CRC-32C over the bucket's name and every entry of it up to `revision`, which the image must have. Of what lies at or
 * before the compacted revision only that counts which still exists at `revision`, unless nothing does; and deletions at the compacted
 * revision never count, because older versions of etcd forget them (server/storage/mvcc/hash.go).
 */
export async function hashImage(image: StoreImage, revision: number): Promise<number> {
  const { compactRevision } = image
  const { gone, anyLeft } = await standing(image, revision)
  const counts = (change: ImageChange) => change.revision > compactRevision || (!change.deleted && !(anyLeft && gone.has(change.key)))
  let hash = crc32c(Buffer.from('key'))
  let scratch = Buffer.alloc(4096)
  for await (const batch of image.entries()) {
    for (const entry of batch) {
      if (entry.revision > revision) return hash
      if (!counts(entry)) continue
      const needed = LONGEST_REVISION_KEY + headSize(entry) + tailSize(entry)
      if (needed > scratch.length) scratch = Buffer.alloc(2 * needed)
      const head = writeHead(scratch, writeRevisionKey(scratch, 0, entry), entry)
      const tail = writeTail(scratch, head, entry)
      hash = crc32c(scratch.subarray(head, tail), crc32c(entry.value, crc32c(scratch.subarray(0, head), hash)))
    }
  }
  return hash
}

/** Keys that changed between the compacted revision and `upTo`, and whether any key exists at `upTo`. */
async function standing(image: StoreImage, upTo: number): Promise<{ gone: ReadonlySet<Key>; anyLeft: boolean }> {
  const existing = new Set<Key>()
  const gone = new Set<Key>()
  for await (const batch of image.changes()) {
    for (const { key, revision, deleted } of batch) {
      if (revision > upTo) return { gone, anyLeft: existing.size > 0 }
      if (revision > image.compactRevision) gone.add(key)
      if (deleted) existing.delete(key)
      else existing.add(key)
    }
  }
  return { gone, anyLeft: existing.size > 0 }
}
