import { randomFillSync } from 'node:crypto'
import { closeSync, existsSync, openSync, rmSync, statfsSync, statSync, writeSync } from 'node:fs'
import { dirname, join } from 'node:path'

const BLOCK = 1024 * 1024

/**
 * A file that holds disk space for the day when there is none: given back then, it lets what has been written be folded into the
 * database, and deletions and compactions be written, so that room can be made from within.
 */
export class Reserve {
  readonly #path: string
  readonly #size: number
  #held: boolean

  /** Beside the database at `path`. */
  constructor(path: string, size: number) {
    this.#path = reservePath(path)
    this.#size = size
    this.#held = statSync(this.#path, { throwIfNoEntry: false })?.size === size
  }

  get held(): boolean {
    return this.#held
  }

  /** Takes the space, unless that would leave less than as much to others. False if there is not enough. */
  take(): boolean {
    if (this.#held) return true
    try {
      const { bavail, bsize } = statfsSync(dirname(this.#path))
      if (bavail * bsize < 2 * this.#size) return false
      this.#write()
      this.#held = true
    } catch {
      this.release()
    }
    return this.#held
  }

  release(): void {
    rmSync(this.#path, { force: true })
    this.#held = false
  }

  /** With random bytes, which no file system can store in less space. */
  #write(): void {
    const block = randomFillSync(Buffer.alloc(Math.min(BLOCK, this.#size)))
    const file = openSync(this.#path, 'w', 0o600)
    try {
      for (let written = 0; written < this.#size;) written += writeSync(file, block, 0, Math.min(block.length, this.#size - written))
    } finally {
      closeSync(file)
    }
  }
}

/** Gives up the reserve beside the database at `path`, while nobody holds it. False if there was none. */
export function dropReserve(path: string): boolean {
  const reserve = reservePath(path)
  const there = existsSync(reserve)
  rmSync(reserve, { force: true })
  return there
}

function reservePath(path: string): string {
  return join(dirname(path), 'reserve')
}
