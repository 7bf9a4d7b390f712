/**
 * The file format of bbolt, etcd's embedded database (go.etcd.io/bbolt, version 2 of the format). All numbers are little-endian.
 *
 *     page:     id u64 | flags u16 | count u16 | overflow u32 | elements … | keys and values …
 *     leaf:     flags u32 | position u32 | key size u32 | value size u32
 *     branch:   position u32 | key size u32 | page u64
 *     meta:     magic u32 | version u32 | page size u32 | flags u32 | root page u64 | sequence u64 | freelist u64 |
 *               pages in use u64 | transaction u64 | checksum u64
 *     bucket:   root page u64 | sequence u64; with root page 0 a leaf page follows at once (an inline bucket)
 *
 * Positions count from the element they stand in. A page whose `overflow` is n goes on over the n pages after it. Pages 0 and 1 are
 * metas of which the one of the later transaction counts; the meta's root page is a bucket of buckets.
 */
export const PAGE_HEADER = 16
export const ELEMENT = 16
export const BUCKET_HEADER = 16
const META_SIZE = 64
const MAGIC = 0xed0cdaed
const VERSION = 2

export const PAGE = { branch: 0x01, leaf: 0x02, meta: 0x04, freelist: 0x10 } as const
/** Flag of a leaf's element whose value is a bucket. */
export const BUCKET_FLAG = 0x01
/** In the meta's place for the freelist: it is not kept, and found again by going through all pages. */
const NO_FREELIST = 0xffff_ffff_ffff_ffffn

export interface Meta {
  readonly pageSize: number
  readonly root: number
  /** Null if there is none. */
  readonly freelist: number | null
  /** How many pages are in use: the rest of the file is not. */
  readonly pages: number
  readonly transaction: number
}

export function writePageHeader(page: Buffer, id: number, flags: number, count: number, overflow: number): void {
  page.writeBigUInt64LE(BigInt(id), 0)
  page.writeUInt16LE(flags, 8)
  page.writeUInt16LE(count, 10)
  page.writeUInt32LE(overflow, 12)
}

/** A whole page: the meta number 0 or 1. */
export function metaPage(id: number, meta: Meta): Buffer {
  const page = Buffer.alloc(meta.pageSize)
  writePageHeader(page, id, PAGE.meta, 0, 0)
  const body = page.subarray(PAGE_HEADER)
  body.writeUInt32LE(MAGIC, 0)
  body.writeUInt32LE(VERSION, 4)
  body.writeUInt32LE(meta.pageSize, 8)
  body.writeBigUInt64LE(BigInt(meta.root), 16)
  body.writeBigUInt64LE(meta.freelist === null ? NO_FREELIST : BigInt(meta.freelist), 32)
  body.writeBigUInt64LE(BigInt(meta.pages), 40)
  body.writeBigUInt64LE(BigInt(meta.transaction), 48)
  body.writeBigUInt64LE(fnv1a(body.subarray(0, 56)), 56)
  return page
}

/** `page` begins with a page's header. Null if that is no whole meta. */
export function readMeta(page: Buffer): Meta | null {
  if (!isMeta(page) || page.length < PAGE_HEADER + META_SIZE) return null
  const body = page.subarray(PAGE_HEADER)
  if (body.readUInt32LE(4) !== VERSION || body.readBigUInt64LE(56) !== fnv1a(body.subarray(0, 56))) return null
  const freelist = body.readBigUInt64LE(32)
  return {
    pageSize: body.readUInt32LE(8),
    root: Number(body.readBigUInt64LE(16)),
    freelist: freelist === NO_FREELIST ? null : Number(freelist),
    pages: Number(body.readBigUInt64LE(40)),
    transaction: Number(body.readBigUInt64LE(48)),
  }
}

/** Whether it looks like a meta at all, whole or not. */
export function isMeta(page: Buffer): boolean {
  return page.length >= PAGE_HEADER + 4 && page.readUInt32LE(PAGE_HEADER) === MAGIC
}

/** A leaf that lies inside the value of its bucket. */
export function inlineBucket(entries: readonly LeafEntry[]): Buffer {
  const leaf = Buffer.alloc(leafSize(entries))
  fillLeaf(leaf, 0, entries, 0)
  return Buffer.concat([bucketHeader(0), leaf])
}

export function bucketHeader(root: number): Buffer {
  const header = Buffer.alloc(BUCKET_HEADER)
  header.writeBigUInt64LE(BigInt(root), 0)
  return header
}

/** An element of a leaf. `write` puts its key and value, one behind the other, at a place. */
export interface LeafEntry {
  readonly keySize: number
  readonly valueSize: number
  readonly bucket?: boolean
  write(target: Buffer, at: number): void
}

export function plainEntry(key: Uint8Array, value: Uint8Array, bucket = false): LeafEntry {
  return {
    keySize: key.byteLength,
    valueSize: value.byteLength,
    bucket,
    write(target, at) {
      target.set(key, at)
      target.set(value, at + key.byteLength)
    },
  }
}

/** Bytes of a leaf with these entries, without what fills its last page. */
export function leafSize(entries: readonly Pick<LeafEntry, 'keySize' | 'valueSize'>[]): number {
  return entries.reduce((size, { keySize, valueSize }) => size + ELEMENT + keySize + valueSize, PAGE_HEADER)
}

/** Writes a leaf into `page`, which is as long as the leaf is and all zero. */
export function fillLeaf(page: Buffer, id: number, entries: readonly LeafEntry[], overflow: number): void {
  writePageHeader(page, id, PAGE.leaf, entries.length, overflow)
  let element = PAGE_HEADER
  let data = PAGE_HEADER + entries.length * ELEMENT
  for (const entry of entries) {
    page.writeUInt32LE(entry.bucket ? BUCKET_FLAG : 0, element)
    page.writeUInt32LE(data - element, element + 4)
    page.writeUInt32LE(entry.keySize, element + 8)
    page.writeUInt32LE(entry.valueSize, element + 12)
    entry.write(page, data)
    element += ELEMENT
    data += entry.keySize + entry.valueSize
  }
}

/** FNV-1a, 64 bits. */
function fnv1a(bytes: Uint8Array): bigint {
  let hash = 0xcbf29ce484222325n
  for (const byte of bytes) hash = BigInt.asUintN(64, (hash ^ BigInt(byte)) * 0x100000001b3n)
  return hash
}
