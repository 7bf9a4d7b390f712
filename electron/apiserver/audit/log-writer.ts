/** Appends audit events to a file or stream, beside the requests: nobody waits for the disk. */
import { open, readdir, rename, rm, type FileHandle } from 'node:fs/promises'
import { basename, dirname, extname, join } from 'node:path'
import type { Writable } from 'node:stream'
import type { Clock } from '../../base/clock.ts'
import type { Backend, Losses } from './backend.ts'

export interface LogFileOptions {
  readonly path: string
  /** Bytes after which a new file is begun. */
  readonly maxBytes: number
  /** Older files that are kept; 0: all. */
  readonly maxBackups: number
  /** How long an older file is kept, in days; 0: for ever. */
  readonly maxDays: number
  readonly clock: Clock
}

/** Bytes that may wait for the disk; what comes beyond is lost. */
const MOST_WAITING = 64 << 20
const DAY_MS = 86_400_000

/** Where lines go. Rejects if they could not be written. */
interface Target extends AsyncDisposable {
  append(lines: string): Promise<void>
}

/** Writes what waits in one go, as soon as what was before it is written. */
export class LogBackend implements Backend {
  readonly name = 'log'
  readonly #target: Target
  readonly #losses: Losses
  #waiting: string[] = []
  #size = 0
  #writing: Promise<void> | null = null

  constructor(target: Target, losses: Losses) {
    this.#target = target
    this.#losses = losses
  }

  write(event: string): void {
    if (this.#size + event.length > MOST_WAITING) {
      return this.#losses.lost(this.name, 1, new Error('more events wait for the disk than memory is spent on'))
    }
    this.#waiting.push(event)
    this.#size += event.length
    this.#writing ??= this.#run()
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#writing
    await this.#target[Symbol.asyncDispose]()
  }

  async #run(): Promise<void> {
    // What is noted in the same turn is written together.
    await Promise.resolve()
    while (this.#waiting.length > 0) {
      const events = this.#waiting
      this.#waiting = []
      try {
        await this.#target.append(`${events.join('\n')}\n`)
        this.#losses.kept(this.name)
      } catch (error) {
        this.#losses.lost(this.name, events.length, error)
      }
      this.#size = this.#waiting.reduce((sum, { length }) => sum + length, 0)
    }
    this.#writing = null
  }
}

export function streamTarget(stream: Writable): Target {
  return {
    append: (lines) => new Promise((resolve, reject) => void stream.write(lines, (error) => (error ? reject(error) : resolve()))),
    async [Symbol.asyncDispose]() {},
  }
}

/** A file that only its owner can read; older ones stand beside it as `<name>-<time><ext>`. */
export class FileTarget implements Target {
  readonly #options: LogFileOptions
  #file: { handle: FileHandle; size: number } | null = null

  constructor(options: LogFileOptions) {
    this.#options = options
  }

  /** Rejects if the file cannot be written to. */
  async open(): Promise<void> {
    this.#file ??= await this.#opened()
  }

  async append(lines: string): Promise<void> {
    try {
      let file = (this.#file ??= await this.#opened())
      const bytes = Buffer.from(lines)
      if (file.size > 0 && file.size + bytes.length > this.#options.maxBytes) file = await this.#rotate()
      let at = 0
      while (at < bytes.length) at += (await file.handle.write(bytes, at)).bytesWritten
      file.size += bytes.length
    } catch (error) {
      await this.#close().catch(() => undefined)
      throw error
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#close()
  }

  async #opened(): Promise<{ handle: FileHandle; size: number }> {
    const handle = await open(this.#options.path, 'a', 0o600)
    return { handle, size: (await handle.stat()).size }
  }

  async #close(): Promise<void> {
    const file = this.#file
    this.#file = null
    await file?.handle.close()
  }

  async #rotate(): Promise<{ handle: FileHandle; size: number }> {
    const { path, clock } = this.#options
    await this.#close()
    const { folder, stem, extension } = partsOf(path)
    const time = new Date(clock.now()).toISOString().slice(0, -1).replaceAll(':', '-')
    await rename(path, join(folder, `${stem}-${time}${extension}`))
    this.#file = await this.#opened()
    await this.#prune()
    return this.#file
  }

  async #prune(): Promise<void> {
    const { path, maxBackups, maxDays, clock } = this.#options
    const { folder, stem, extension } = partsOf(path)
    const backups = (await readdir(folder)).flatMap((name) => {
      const time =
        name.startsWith(`${stem}-`) && name.endsWith(extension) ? timeOf(name.slice(stem.length + 1, name.length - extension.length)) : null
      return time === null ? [] : [{ name, time }]
    })
    const newestFirst = backups.toSorted((a, b) => b.time - a.time)
    const old = newestFirst.filter(
      ({ time }, i) => (maxBackups > 0 && i >= maxBackups) || (maxDays > 0 && clock.now() - time > maxDays * DAY_MS),
    )
    for (const { name } of old) await rm(join(folder, name), { force: true })
  }
}

function partsOf(path: string): { folder: string; stem: string; extension: string } {
  const extension = extname(path)
  return { folder: dirname(path), stem: basename(path, extension), extension }
}

/** "2026-11-21T17-55-57.123" */
function timeOf(text: string): number | null {
  if (!/^\d{4}-\d\d-\d\dT\d\d-\d\d-\d\d\.\d{3}$/.test(text)) return null
  const time = Date.parse(`${text.slice(0, 10)}T${text.slice(11).replaceAll('-', ':')}Z`)
  return Number.isNaN(time) ? null : time
}
