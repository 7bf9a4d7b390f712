import { type Random, randomInt } from '../../../electron/base/random.ts'
import type { JournalRecord } from './journal.ts'

/** What a disk writes whole or not at all. */
const SECTOR = 512

type Change = { readonly offset: number; readonly data: Buffer } | { readonly size: number }
type NameChange = { readonly name: string; readonly file: FileImage | null }

interface FileImage {
  /** What is safe: the first `size` bytes. What is behind them is zero. */
  content: Buffer
  size: number
  /** What was written since it was flushed last. */
  pending: Change[]
}

/**
 * What is on the disk, as opposed to what the system shows: fed with the journal, it knows what was flushed and what a loss of power may
 * still take, all of it, some of it, or a part of a write. The changes of the folder itself (files made and removed) reach the disk in
 * their order, those of a file in any order. After a flush that failed, nothing that was to be flushed is tried again, as in Linux.
 */
export class DiskImage {
  readonly #random: Random
  /** The files under the names they have now. */
  readonly #files = new Map<string, FileImage>()
  #names = new Map<string, FileImage>()
  #pendingNames: NameChange[] = []

  constructor(random: Random) {
    this.#random = random
  }

  apply(record: JournalRecord): void {
    if (record.type === 'syncFolder') {
      this.#changeNames(this.#pendingNames.length)
      return
    }
    const file = this.#files.get(record.name) ?? this.#create(record.name)
    switch (record.type) {
      case 'create':
        return
      case 'write':
        file.pending.push({ offset: record.offset, data: record.data })
        return
      case 'truncate':
        file.pending.push({ size: record.size })
        return
      case 'sync':
        for (const change of file.pending.splice(0)) write(file, change)
        return
      case 'syncFailed':
        this.#loseSome(file)
        return
      case 'unlink':
        this.#files.delete(record.name)
        this.#pendingNames.push({ name: record.name, file: null })
    }
  }

  /** Takes what is not safe, or a part of it; returns what is left. */
  losePower(): Map<string, Buffer> {
    this.#changeNames(randomInt(this.#random, this.#pendingNames.length + 1))
    this.#pendingNames = []
    this.#files.clear()
    for (const [name, file] of this.#names) {
      this.#loseSome(file)
      this.#files.set(name, file)
    }
    return new Map([...this.#files].map(([name, { content, size }]) => [name, content.subarray(0, size)]))
  }

  #create(name: string): FileImage {
    const file: FileImage = { content: Buffer.alloc(0), size: 0, pending: [] }
    this.#files.set(name, file)
    this.#pendingNames.push({ name, file })
    return file
  }

  #changeNames(count: number): void {
    const names = new Map(this.#names)
    for (const { name, file } of this.#pendingNames.splice(0, count)) {
      if (file) names.set(name, file)
      else names.delete(name)
    }
    this.#names = names
  }

  /** One mood for all of it, so that losing everything and keeping everything happen too. */
  #loseSome(file: FileImage): void {
    const kept = [0, 0.2, 0.5, 0.9, 1][randomInt(this.#random, 5)] as number
    for (const change of file.pending.splice(0)) {
      if ('size' in change || this.#random.float() < kept) write(file, change)
      else if (this.#random.float() < 0.3) write(file, ...this.#tear(change))
    }
  }

  /** Some sectors of a write; sectors of the disk, not of the write. */
  #tear({ offset, data }: Extract<Change, { data: Buffer }>): Change[] {
    const parts: Change[] = []
    for (let from = 0; from < data.length;) {
      const to = Math.min(data.length, from + SECTOR - ((offset + from) % SECTOR))
      if (this.#random.float() < 0.5) parts.push({ offset: offset + from, data: data.subarray(from, to) })
      from = to
    }
    return parts
  }
}

function write(file: FileImage, ...changes: Change[]): void {
  for (const change of changes) {
    if ('size' in change) {
      file.content.fill(0, Math.min(change.size, file.size), file.size)
      file.size = change.size
    } else file.size = Math.max(file.size, change.offset + change.data.length)
    if (file.size > file.content.length) file.content = grown(file.content, file.size)
    if ('data' in change) change.data.copy(file.content, change.offset)
  }
}

function grown(content: Buffer, size: number): Buffer {
  const larger = Buffer.alloc(Math.max(size, 2 * content.length))
  content.copy(larger)
  return larger
}
