import {
  closeSync,
  existsSync,
  mkdirSync,
  openSync,
  readdirSync,
  readFileSync,
  readSync,
  rmSync,
  statSync,
  writeFileSync,
  writeSync,
} from 'node:fs'
import { join } from 'node:path'
import { type Random, randomInt } from '../../../electron/base/random.ts'
import { DiskImage } from './disk-image.ts'
import { type JournalRecord, readJournal } from './journal.ts'
import { faultyDiskLibrary } from './library.ts'

/** Places in the control page, as in `faulty-disk.c`. */
const CONTROL = { slowMicros: 0, failSyncs: 1, failWrites: 2, full: 3, room: 4, shortOf256: 5, random: 6, syncs: 7, writes: 8, faults: 9 }
const PAGE = 4096

export type DiskFault = 'slowMicros' | 'failSyncs' | 'failWrites' | 'full' | 'room' | 'shortOf256'
export type DiskCount = 'syncs' | 'writes' | 'faults'

/** The disk under one folder, for processes that are started with `env`, one after the other. */
export class FaultyDisk implements Disposable {
  /** The folder whose files are on this disk. */
  readonly dir: string
  readonly #place: string
  readonly #image: DiskImage
  readonly #control: number
  #lives = 0

  /** Its own files go into `place`. */
  constructor(place: string, random: Random) {
    this.#place = place
    this.dir = join(place, 'disk')
    mkdirSync(this.dir)
    this.#image = new DiskImage(random)
    writeFileSync(join(place, 'control'), Buffer.alloc(PAGE))
    this.#control = openSync(join(place, 'control'), 'r+')
    this.#write('random', 1 + randomInt(random, 0x7fffffff))
  }

  /** The environment of the next process; the one before has ended. */
  env(): Record<string, string> {
    this.#lives++
    return {
      LD_PRELOAD: faultyDiskLibrary(),
      FLOTILLA_DISK_ROOT: this.dir,
      FLOTILLA_DISK_JOURNAL: this.#journal(),
      FLOTILLA_DISK_CONTROL: join(this.#place, 'control'),
    }
  }

  set(fault: DiskFault, value: number): void {
    this.#write(fault, value)
  }

  /** How often something happened since the beginning. */
  count(what: DiskCount): number {
    const bytes = Buffer.alloc(4)
    readSync(this.#control, bytes, 0, 4, 4 * CONTROL[what])
    return bytes.readUInt32LE()
  }

  /** No more faults. */
  heal(): void {
    for (const fault of ['slowMicros', 'failSyncs', 'failWrites', 'full', 'room', 'shortOf256'] as const) this.#write(fault, 0)
  }

  /** To be called when a process has ended, however it did. */
  processEnded(): void {
    const path = this.#journal()
    if (!existsSync(path)) return
    const records = readJournal(readFileSync(path))
    const last = records.pop()
    for (const record of records) this.#image.apply(record)
    const done = last && this.#asFarAsDone(last)
    if (done) this.#image.apply(done)
    rmSync(path)
  }

  /** Makes the files what a loss of power at this moment would have left. */
  losePower(): void {
    for (const name of readdirSync(this.dir)) rmSync(join(this.dir, name))
    for (const [name, content] of this.#image.losePower()) writeFileSync(join(this.dir, name), content, { mode: 0o600 })
  }

  [Symbol.dispose](): void {
    closeSync(this.#control)
  }

  #journal(): string {
    return join(this.#place, `journal-${this.#lives}`)
  }

  #write(field: keyof typeof CONTROL, value: number): void {
    const bytes = Buffer.alloc(4)
    bytes.writeUInt32LE(value)
    writeSync(this.#control, bytes, 0, 4, 4 * CONTROL[field])
  }

  /** The last thing of a process that was killed may have been done, or not, or in part. */
  #asFarAsDone(record: JournalRecord): JournalRecord | null {
    if (!('name' in record)) return record
    const path = join(this.dir, record.name)
    const there = existsSync(path)
    switch (record.type) {
      case 'create':
        return there ? record : null
      case 'unlink':
        return there ? null : record
      case 'truncate':
        return there && statSync(path).size === record.size ? record : null
      case 'write':
        return there ? { ...record, data: readFileSync(path).subarray(record.offset, record.offset + record.data.length) } : null
      case 'sync':
      case 'syncFailed':
        return record
    }
  }
}
