import { closeSync, fstatSync, openSync, readSync } from 'node:fs'
import { BUCKET_FLAG, BUCKET_HEADER, ELEMENT, isMeta, type Meta, PAGE, PAGE_HEADER, readMeta } from './bolt.ts'

/** What is wrong with a file, as the end of a sentence that begins "It". */
export class BoltError extends Error {
  override readonly name = 'BoltError'
}

export interface BoltEntry {
  readonly key: Buffer
  readonly value: Buffer
}

/** Where a bucket's entries begin: a page of the file, or a leaf of its own inside another's value. */
type Root = { readonly page: number } | { readonly leaf: Buffer }

/** Of a bucket that is looked at: none of etcd's has more. */
const LONGEST_NAME = 64
/** At most so many bytes are read ahead, where pages lie in the order in which they are read. */
const READ_AHEAD = 256 * 1024
const SMALLEST_PAGE = 512
const LARGEST_PAGE = 64 * 1024

/**
 * Reads a bbolt file that may be damaged in whatever way: every number is checked before it is followed, and no page is visited twice
 * in one walk, so that each walk ends. Throws BoltError, or what the system says when the file cannot be read.
 */
export class BoltFile implements Disposable {
  /** Of the file, in bytes. */
  readonly size: number
  readonly #fd: number
  readonly #meta: Meta
  #window: Buffer = Buffer.alloc(0)
  #windowAt = 0
  #ahead = 0

  constructor(path: string) {
    this.#fd = openSync(path, 'r')
    try {
      this.size = fstatSync(this.#fd).size
      this.#meta = this.#findMeta()
    } catch (error) {
      closeSync(this.#fd)
      throw error
    }
  }

  /** Bytes of the database: what follows it is not its own. */
  get databaseSize(): number {
    return this.#meta.pages * this.#meta.pageSize
  }

  /** The file's bytes from `at` on, at most `length`. */
  read(at: number, length: number): Buffer {
    const bytes = Buffer.allocUnsafeSlow(Math.max(0, Math.min(length, this.size - at)))
    for (let done = 0; done < bytes.length;) {
      const count = readSync(this.#fd, bytes, done, bytes.length - done, at + done)
      if (count === 0) throw new BoltError(`ends at byte ${at + done}, while it is read`)
      done += count
    }
    return bytes
  }

  /** All buckets, in the order of their names. */
  *buckets(): Generator<{ readonly name: string; readonly root: Root }> {
    for (const { key, value, isBucket } of this.#walk({ page: this.#meta.root })) {
      const name = key.toString('latin1', 0, LONGEST_NAME)
      if (!isBucket) throw new BoltError(`has an entry ${JSON.stringify(name)} beside its buckets`)
      yield { name, root: rootOf(name, value) }
    }
  }

  /** The entries of a bucket in the order of their keys, which is checked. They stay valid. */
  *entries(root: Root): Generator<BoltEntry> {
    for (const { key, value, isBucket } of this.#walk(root)) {
      if (isBucket) throw new BoltError('has a bucket inside a bucket')
      yield { key, value }
    }
  }

  [Symbol.dispose](): void {
    closeSync(this.#fd)
  }

  #findMeta(): Meta {
    const metas: Meta[] = []
    let looksLikeOne = false
    for (let at = 0; at <= LARGEST_PAGE; at = at === 0 ? SMALLEST_PAGE : at * 2) {
      const page = this.read(at, 2 * PAGE_HEADER + 64)
      looksLikeOne ||= isMeta(page)
      const meta = readMeta(page)
      if (meta && (at === 0 || meta.pageSize === at)) metas.push(meta)
    }
    const meta = metas.sort((a, b) => b.transaction - a.transaction)[0]
    if (!meta)
      throw new BoltError(looksLikeOne ? 'is damaged: neither of its first two pages is whole' : 'is no snapshot of etcd or of Flotilla')
    const { pageSize, pages, root } = meta
    if (pageSize < SMALLEST_PAGE || pageSize > LARGEST_PAGE || (pageSize & (pageSize - 1)) !== 0) {
      throw new BoltError(`is damaged: its pages would have ${pageSize} bytes`)
    }
    if (pages * pageSize > this.size) throw new BoltError(`is cut short: it has ${this.size} of at least ${pages * pageSize} bytes`)
    if (root < 2 || root >= pages) throw new BoltError(`is damaged: its root is page ${root} of ${pages}`)
    return meta
  }

  *#walk(root: Root): Generator<BoltEntry & { isBucket: boolean }> {
    const visited = new Uint8Array(Math.ceil(this.#meta.pages / 8))
    const stack: (Buffer | number)[] = ['leaf' in root ? root.leaf : root.page]
    let last: Buffer | null = null
    for (let next = stack.pop(); next !== undefined; next = stack.pop()) {
      const where = typeof next === 'number' ? `page ${next}` : 'an inline bucket'
      const page = typeof next === 'number' ? this.#page(next, visited) : next
      const flags = page.readUInt16LE(8)
      const count = page.readUInt16LE(10)
      if (PAGE_HEADER + count * ELEMENT > page.length) throw new BoltError(`is damaged: ${where} has no room for ${count} entries`)
      if (flags === PAGE.branch) {
        for (let i = count - 1; i >= 0; i--) stack.push(Number(page.readBigUInt64LE(PAGE_HEADER + i * ELEMENT + 8)))
        continue
      }
      if (flags !== PAGE.leaf) throw new BoltError(`is damaged: ${where} is of an unknown kind (${flags})`)
      for (let i = 0; i < count; i++) {
        const element = PAGE_HEADER + i * ELEMENT
        const from = element + page.readUInt32LE(element + 4)
        const middle = from + page.readUInt32LE(element + 8)
        const to = middle + page.readUInt32LE(element + 12)
        if (to > page.length) throw new BoltError(`is damaged: entry ${i} of ${where} reaches beyond its end`)
        const key = page.subarray(from, middle)
        if (last !== null && last.compare(key) >= 0) throw new BoltError(`is damaged: the keys of ${where} are out of order`)
        last = key
        yield { key, value: page.subarray(middle, to), isBucket: (page.readUInt32LE(element) & BUCKET_FLAG) !== 0 }
      }
    }
  }

  /** A page with all that it goes on over. */
  #page(id: number, visited: Uint8Array): Buffer {
    const { pageSize, pages } = this.#meta
    if (id < 2 || id >= pages) throw new BoltError(`is damaged: it refers to page ${id} of ${pages}`)
    const at = id * pageSize
    const first = this.#bytes(at, pageSize)
    const overflow = first.readUInt32LE(12)
    if (first.readBigUInt64LE(0) !== BigInt(id)) throw new BoltError(`is damaged: page ${id} has another number`)
    if (id + overflow >= pages) throw new BoltError(`is damaged: page ${id} reaches beyond the last`)
    for (let i = id; i <= id + overflow; i++) {
      const bit = 1 << (i & 7)
      const byte = visited[i >>> 3] as number
      if (byte & bit) throw new BoltError(`is damaged: page ${i} is in two places`)
      visited[i >>> 3] = byte | bit
    }
    return overflow === 0 ? first : this.#bytes(at, (overflow + 1) * pageSize)
  }

  #bytes(at: number, length: number): Buffer {
    const windowEnd = this.#windowAt + this.#window.length
    if (at < this.#windowAt || at + length > windowEnd) {
      const goesOn = at >= this.#windowAt && at <= windowEnd
      this.#ahead = goesOn ? Math.min(2 * this.#ahead + this.#meta.pageSize, READ_AHEAD) : 0
      this.#window = this.read(at, Math.max(length, this.#ahead))
      this.#windowAt = at
    }
    return this.#window.subarray(at - this.#windowAt, at - this.#windowAt + length)
  }
}

function rootOf(name: string, value: Buffer): Root {
  if (value.length < BUCKET_HEADER) throw new BoltError(`is damaged: its bucket ${JSON.stringify(name)} is cut short`)
  const page = Number(value.readBigUInt64LE(0))
  if (page !== 0) return { page }
  if (value.length < BUCKET_HEADER + PAGE_HEADER) throw new BoltError(`is damaged: its bucket ${JSON.stringify(name)} is cut short`)
  return { leaf: value.subarray(BUCKET_HEADER) }
}
