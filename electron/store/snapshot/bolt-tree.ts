import { ELEMENT, fillLeaf, type LeafEntry, leafSize, PAGE, PAGE_HEADER, writePageHeader } from './bolt.ts'

export const PAGE_SIZE = 4096

/** Fewer keys than this bbolt never leaves on a page by itself: two large values share a run of pages. */
const MIN_KEYS = 2

/**
 * The pages of one bucket, written from its entries in the order of their keys: first the leaves, then each level of branches, the
 * root last. Where everything comes to lie follows from the sizes alone, so that it is known before the first byte is written: go
 * through the entries twice, once with `TreePlan` and then with `TreeWriter`.
 */
export class TreePlan {
  readonly #fanOut: number
  readonly #packer = new Packer()
  #leaves = 1
  #leafPages = 0

  constructor(longestKey: number) {
    this.#fanOut = Math.floor((PAGE_SIZE - PAGE_HEADER) / (ELEMENT + longestKey))
  }

  /** The next entry has so many bytes of key and value. */
  add(size: number): void {
    if (!this.#packer.begins(size)) return
    this.#leafPages += pagesOf(this.#packer.closed)
    this.#leaves++
  }

  /** How many pages all of it takes. */
  get pages(): number {
    return this.leafPages + this.levels.reduce((sum, nodes) => sum + nodes, 0)
  }

  get leafPages(): number {
    return this.#leafPages + pagesOf(this.#packer.size)
  }

  /** How many branches each level has, from the one above the leaves to the root; empty if the only leaf is the root. */
  get levels(): number[] {
    const levels: number[] = []
    for (let nodes = this.#leaves; nodes > 1;) levels.push((nodes = Math.ceil(nodes / this.#fanOut)))
    return levels
  }

  /** The root, when the tree begins at page `first`. */
  root(first: number): number {
    return this.levels.length === 0 ? first : first + this.pages - 1
  }
}

/** Says where a leaf ends. */
class Packer {
  /** Bytes of the leaf that is being filled, and of the one before. */
  size = PAGE_HEADER
  closed = 0
  #count = 0

  /** Whether the next entry begins another leaf. */
  begins(size: number): boolean {
    const added = ELEMENT + size
    const begins = this.#count >= MIN_KEYS && this.size + added > PAGE_SIZE
    if (begins) {
      this.closed = this.size
      this.size = PAGE_HEADER
      this.#count = 0
    }
    this.size += added
    this.#count++
    return begins
  }
}

export class TreeWriter {
  readonly #plan: TreePlan
  readonly #packer = new Packer()
  readonly #first: number
  #next: number
  #leaf: LeafEntry[] = []
  #children = new Children()

  constructor(plan: TreePlan, first: number) {
    this.#plan = plan
    this.#first = first
    this.#next = first
  }

  /** Returns the leaf that this entry does not fit into any more, if so. */
  add(entry: LeafEntry): Buffer | null {
    const leaf = this.#packer.begins(entry.keySize + entry.valueSize) ? this.#close() : null
    this.#leaf.push(entry)
    return leaf
  }

  /** The last leaf and all branches. Throws if the entries were not those of the plan. */
  *finish(): Generator<Buffer> {
    yield this.#close()
    if (this.#next !== this.#first + this.#plan.leafPages) throw new Error('the entries are not those that were planned for')
    for (const nodes of this.#plan.levels) {
      const children = this.#children
      this.#children = new Children()
      for (let i = 0; i < nodes; i++) {
        yield this.#branch(children, Math.floor((i * children.count) / nodes), Math.floor(((i + 1) * children.count) / nodes))
      }
    }
  }

  #close(): Buffer {
    const pages = pagesOf(leafSize(this.#leaf))
    const page = Buffer.alloc(pages * PAGE_SIZE)
    fillLeaf(page, this.#next, this.#leaf, pages - 1)
    const [first] = this.#leaf
    const key = PAGE_HEADER + this.#leaf.length * ELEMENT
    this.#children.add(page.subarray(key, key + (first?.keySize ?? 0)), this.#next)
    this.#next += pages
    this.#leaf = []
    return page
  }

  #branch(children: Children, from: number, to: number): Buffer {
    const page = Buffer.alloc(PAGE_SIZE)
    writePageHeader(page, this.#next, PAGE.branch, to - from, 0)
    let data = PAGE_HEADER + (to - from) * ELEMENT
    for (let i = from; i < to; i++) {
      const element = PAGE_HEADER + (i - from) * ELEMENT
      const { key, page: child } = children.at(i)
      page.writeUInt32LE(data - element, element)
      page.writeUInt32LE(key.length, element + 4)
      page.writeBigUInt64LE(BigInt(child), element + 8)
      data += key.copy(page, data)
    }
    this.#children.add(children.at(from).key, this.#next)
    this.#next++
    return page
  }
}

/** The first key and the number of each page of a level, packed: there may be a million. */
class Children {
  readonly #ends: number[] = []
  readonly #pages: number[] = []
  #keys = Buffer.alloc(4096)

  get count(): number {
    return this.#pages.length
  }

  add(key: Buffer, page: number): void {
    const at = this.#ends.at(-1) ?? 0
    if (at + key.length > this.#keys.length) this.#keys = Buffer.concat([this.#keys, Buffer.alloc(this.#keys.length + key.length)])
    key.copy(this.#keys, at)
    this.#ends.push(at + key.length)
    this.#pages.push(page)
  }

  at(index: number): { key: Buffer; page: number } {
    const from = index === 0 ? 0 : (this.#ends[index - 1] as number)
    return { key: this.#keys.subarray(from, this.#ends[index]), page: this.#pages[index] as number }
  }
}

export function pagesOf(bytes: number): number {
  return Math.ceil(bytes / PAGE_SIZE)
}
