import { createHash } from 'node:crypto'
import type { Snapshot } from '../store.ts'
import { inlineBucket, bucketHeader, fillLeaf, type LeafEntry, leafSize, metaPage, PAGE, plainEntry, writePageHeader } from './bolt.ts'
import { PAGE_SIZE, pagesOf, TreePlan, TreeWriter } from './bolt-tree.ts'
import { LONGEST_REVISION_KEY, messageSize, revisionKeySize, writeHead, writeRevisionKey, writeTail, writeUInt64 } from './entry.ts'
import type { ImageEntry, StoreImage } from './image.ts'
import { byLeaseKey, LEASE_KEY, leaseEntry, type LeaseFacts, leaseMessageSize } from './lease-entry.ts'

/** So many bytes are handed out at a time at the most. */
const CHUNK = 64 * 1024
const SHA256 = 32
/** Of the snapshot's only transaction; the other meta has the one before. */
const TRANSACTION = 2
const FREELIST = 2
const ROOT = 3

/**
 * An image as `etcdctl snapshot save` writes one: etcd's database (a bbolt file with the buckets of etcd 3.4) with the SHA-256 of it
 * behind it. The image is gone through twice, without a file between: first for the sizes, when this is called, then for the bytes.
 * It stays the caller's, who keeps it for as long as the snapshot is read.
 */
export async function writeSnapshot(image: StoreImage): Promise<Snapshot> {
  const keys = new TreePlan(LONGEST_REVISION_KEY)
  for await (const batch of image.changes()) for (const change of batch) keys.add(revisionKeySize(change.deleted) + messageSize(change))
  const leases = new TreePlan(LEASE_KEY)
  const sorted = [...image.leases].sort(byLeaseKey)
  for (const lease of sorted) leases.add(LEASE_KEY + leaseMessageSize(lease))
  const layout = layoutOf(image, keys, leases)
  return {
    size: layout.pages * PAGE_SIZE + SHA256,
    revision: image.revision,
    [Symbol.asyncIterator]: () => sealed(chunked(pages(image, sorted, layout))),
    async [Symbol.asyncDispose]() {},
  }
}

interface Layout {
  readonly keys: TreePlan
  readonly firstOfKeys: number
  readonly leases: TreePlan
  readonly firstOfLeases: number
  readonly root: Buffer
  readonly pages: number
}

function layoutOf(image: StoreImage, keys: TreePlan, leases: TreePlan): Layout {
  // What the root bucket holds has the same size wherever the trees begin.
  const size = pagesOf(leafSize(buckets(image, 0, 0)))
  const firstOfKeys = ROOT + size
  const firstOfLeases = firstOfKeys + keys.pages
  const root = Buffer.alloc(size * PAGE_SIZE)
  fillLeaf(root, ROOT, buckets(image, keys.root(firstOfKeys), leases.root(firstOfLeases)), size - 1)
  return { keys, firstOfKeys, leases, firstOfLeases, root, pages: firstOfLeases + leases.pages }
}

/** What etcd 3.4 to 3.6 looks for (server/storage/schema), in the order of names. A member list is made by whoever restores. */
function buckets(image: StoreImage, keys: number, leases: number): LeafEntry[] {
  const empty = inlineBucket([])
  const contents: readonly (readonly [string, Buffer])[] = [
    ['alarm', empty],
    ['auth', empty],
    ['authRoles', empty],
    ['authUsers', empty],
    ['cluster', empty],
    ['key', bucketHeader(keys)],
    ['lease', bucketHeader(leases)],
    ['members', empty],
    ['members_removed', empty],
    ['meta', inlineBucket(metaEntries(image))],
  ]
  return contents.map(([name, bucket]) => plainEntry(Buffer.from(name), bucket, true))
}

/** The place in the log that the state stands for: every revision was one entry of it, all of the first term. */
function metaEntries({ revision, compactRevision }: StoreImage): LeafEntry[] {
  const entries: [string, Buffer][] = [['consistent_index', uint64(revision)]]
  if (compactRevision > 0) {
    const compacted = Buffer.alloc(revisionKeySize(false))
    writeRevisionKey(compacted, 0, { revision: compactRevision, sub: 0, deleted: false })
    entries.push(['finishedCompactRev', compacted], ['scheduledCompactRev', compacted])
  }
  entries.push(['term', uint64(1)])
  return entries.map(([name, value]) => plainEntry(Buffer.from(name), value))
}

async function* pages(image: StoreImage, leases: readonly LeaseFacts[], layout: Layout): AsyncGenerator<Buffer> {
  const meta = { pageSize: PAGE_SIZE, root: ROOT, freelist: FREELIST, pages: layout.pages }
  yield metaPage(0, { ...meta, transaction: TRANSACTION })
  yield metaPage(1, { ...meta, transaction: TRANSACTION - 1 })
  const freelist = Buffer.alloc(PAGE_SIZE)
  writePageHeader(freelist, FREELIST, PAGE.freelist, 0, 0)
  yield freelist
  yield layout.root
  const keyTree = new TreeWriter(layout.keys, layout.firstOfKeys)
  for await (const batch of image.entries()) {
    for (const entry of batch) {
      const leaf = keyTree.add(keyEntry(entry))
      if (leaf) yield leaf
    }
  }
  yield* keyTree.finish()
  const leaseTree = new TreeWriter(layout.leases, layout.firstOfLeases)
  for (const lease of leases) {
    const { key, value } = leaseEntry(lease)
    const leaf = leaseTree.add(plainEntry(key, value))
    if (leaf) yield leaf
  }
  yield* leaseTree.finish()
}

function keyEntry(entry: ImageEntry): LeafEntry {
  const { value, size } = entry
  if (value.byteLength !== size) throw new Error(`the value of revision ${entry.revision} has ${value.byteLength} bytes, not ${size}`)
  return {
    keySize: revisionKeySize(entry.deleted),
    valueSize: messageSize(entry),
    write(target, at) {
      const head = writeHead(target, writeRevisionKey(target, at, entry), entry)
      target.set(value, head)
      writeTail(target, head + size, entry)
    },
  }
}

/** The same bytes in pieces of at most `CHUNK`, most of them about as long. */
async function* chunked(parts: AsyncIterable<Buffer>): AsyncGenerator<Buffer> {
  let waiting: Buffer[] = []
  let size = 0
  for await (const part of parts) {
    waiting.push(part)
    size += part.length
    if (size < CHUNK) continue
    const all = waiting.length === 1 ? part : Buffer.concat(waiting, size)
    for (let at = 0; at < size; at += CHUNK) yield all.subarray(at, at + CHUNK)
    waiting = []
    size = 0
  }
  if (size > 0) yield Buffer.concat(waiting, size)
}

async function* sealed(chunks: AsyncIterable<Buffer>): AsyncGenerator<Buffer> {
  const hash = createHash('sha256')
  for await (const chunk of chunks) {
    hash.update(chunk)
    yield chunk
  }
  yield hash.digest()
}

function uint64(value: number): Buffer {
  const bytes = Buffer.alloc(8)
  writeUInt64(bytes, 0, value)
  return bytes
}
