/** Reads a container's log as the container wrote it: its text, without the runtime's marks, over files that are set aside meanwhile. */
import { watch } from 'node:fs'
import { open, stat } from 'node:fs/promises'
import type { FileHandle } from 'node:fs/promises'
import { basename, dirname } from 'node:path'
import { deferred } from '../../../base/async.ts'
import { systemCode } from '../../../base/errors.ts'
import { logFilesOf } from '../../kubelet/gc/log-files.ts'
import type { LogOptions } from './log-options.ts'
import { findTail } from './tail.ts'

export interface LogSource {
  /** The file that is written. */
  readonly path: string
  /** Whether more may come. */
  readonly running: () => boolean
  /** Calls back when `running` may have changed. */
  readonly onChange: (listener: () => void) => Disposable
}

const CHUNK = 64 << 10
const NEWLINE = 10
const SPACE = 32
const PARTIAL = 80
const ERR = 101

/** Ends with the log, or with `follow` when the container has; a missing log is an empty one. */
export async function* readLog(source: LogSource, options: LogOptions, signal: AbortSignal): AsyncGenerator<Buffer, void> {
  const writer = new LineWriter(options)
  let left = options.limitBytes ?? Infinity
  for await (const chunk of rawChunks(source, options, signal)) {
    const text = writer.write(chunk)
    if (!text.length) continue
    yield text.subarray(0, Math.min(left, text.length))
    left -= text.length
    if (left <= 0) return
  }
}

async function* rawChunks(source: LogSource, { follow, tailLines }: LogOptions, signal: AbortSignal): AsyncGenerator<Buffer, void> {
  const files = await logFilesOf(source.path)
  const start = tailLines === null ? { file: 0, offset: 0 } : await findTail(files, tailLines)
  // What is set aside is read once; the current file may grow and be replaced.
  const current = files.at(-1) === source.path ? files.length - 1 : files.length
  for (let i = start.file; i < current; i++) {
    const path = files[i]
    if (path !== undefined) yield* readFrom(path, i === start.file ? start.offset : 0)
  }
  const offset = start.file === current ? start.offset : 0
  if (!follow) {
    if (current < files.length) yield* readFrom(source.path, offset)
    return
  }
  yield* followFile(source, offset, signal)
}

async function* readFrom(path: string, offset: number): AsyncGenerator<Buffer, void> {
  await using file = await openLog(path)
  if (!file) return
  const { size } = await file.stat()
  for (let at = Math.min(offset, size); ;) {
    const chunk = await readChunk(file, at)
    if (!chunk.length) return
    yield chunk
    at += chunk.length
  }
}

async function* followFile(source: LogSource, offset: number, signal: AbortSignal): AsyncGenerator<Buffer, void> {
  using alarm = new Alarm()
  using _change = source.onChange(() => alarm.ring())
  using _watcher = watchFolder(source.path, () => alarm.ring())
  const onAbort = () => alarm.ring()
  signal.addEventListener('abort', onAbort, { once: true })
  let file: FileHandle | null = null
  try {
    for (let at = offset; !signal.aborted;) {
      // Asked before the read, so that what was written last is not missed.
      const running = source.running()
      file ??= await openLog(source.path)
      if (file) {
        if (at === Infinity) at = (await file.stat()).size
        for (let chunk = await readChunk(file, at); chunk.length; chunk = await readChunk(file, at)) {
          at += chunk.length
          yield chunk
        }
        if (await isReplaced(file, source.path)) {
          // What was written before the file was set aside came after the last read.
          for (let chunk = await readChunk(file, at); chunk.length; chunk = await readChunk(file, at)) {
            at += chunk.length
            yield chunk
          }
          await file.close()
          file = null
          at = 0
          continue
        }
      }
      if (!running) return
      await alarm.wait()
    }
  } finally {
    signal.removeEventListener('abort', onAbort)
    await file?.close()
  }
}

async function isReplaced(file: FileHandle, path: string): Promise<boolean> {
  const [own, named] = await Promise.all([
    file.stat(),
    stat(path).catch((error: unknown) => {
      if (systemCode(error) === 'ENOENT') return null
      throw error
    }),
  ])
  return named !== null && named.ino !== own.ino
}

async function readChunk(file: FileHandle, position: number): Promise<Buffer> {
  const buffer = Buffer.allocUnsafe(CHUNK)
  const { bytesRead } = await file.read(buffer, 0, CHUNK, position)
  return buffer.subarray(0, bytesRead)
}

async function openLog(path: string): Promise<FileHandle | null> {
  try {
    return await open(path)
  } catch (error) {
    if (systemCode(error) === 'ENOENT') return null
    throw error
  }
}

/** The folder tells of writes to the file and of another file in its place. */
function watchFolder(path: string, onEvent: () => void): Disposable {
  const name = basename(path)
  try {
    const watcher = watch(dirname(path), { persistent: false }, (_type, changed) => {
      if (changed === null || changed === name) onEvent()
    })
    watcher.on('error', () => undefined)
    return { [Symbol.dispose]: () => watcher.close() }
  } catch (error) {
    if (systemCode(error) !== 'ENOENT') throw error
    return { [Symbol.dispose]: () => undefined }
  }
}

/** Wakes whoever waits, or the next one who would. */
class Alarm implements Disposable {
  #rung = false
  #waiting = deferred<void>()

  ring(): void {
    this.#rung = true
    this.#waiting.resolve()
  }

  async wait(): Promise<void> {
    if (!this.#rung) await this.#waiting.promise
    this.#rung = false
    this.#waiting = deferred()
  }

  [Symbol.dispose](): void {
    this.ring()
  }
}

/** Turns the runtime's lines into the container's; lines may be cut anywhere between two chunks. */
class LineWriter {
  readonly #options: LogOptions
  #rest: Buffer = Buffer.alloc(0)
  /** By stream: whether its last line was not the end of one of the container's. */
  readonly #continues = { stdout: false, stderr: false }
  #passedSince: boolean

  constructor(options: LogOptions) {
    this.#options = options
    this.#passedSince = options.since === null
  }

  write(chunk: Buffer): Buffer {
    const data = this.#rest.length ? Buffer.concat([this.#rest, chunk]) : chunk
    const out: Buffer[] = []
    let start = 0
    for (let end = data.indexOf(NEWLINE); end !== -1; end = data.indexOf(NEWLINE, start)) {
      this.#line(data, start, end, out)
      start = end + 1
    }
    this.#rest = Buffer.from(data.subarray(start))
    return out.length === 1 ? (out[0] as Buffer) : Buffer.concat(out)
  }

  #line(data: Buffer, start: number, end: number, out: Buffer[]): void {
    const first = data.indexOf(SPACE, start)
    const second = data.indexOf(SPACE, first + 1)
    if (first < 0 || second < 0 || second >= end) return
    const { stream, timestamps, since } = this.#options
    const isError = data[first + 4] === ERR
    const own = isError ? 'stderr' : 'stdout'
    if (stream !== null && own !== stream) return
    if (!this.#passedSince) {
      if (Date.parse(data.toString('latin1', start, first)) < (since ?? 0)) return
      this.#passedSince = true
    }
    const third = data.indexOf(SPACE, second + 1)
    const partial = data[second + 1] === PARTIAL
    if (timestamps && !this.#continues[own]) out.push(data.subarray(start, first + 1))
    // The newline of the file stands for that of the container.
    if (third > 0 && third < end) out.push(data.subarray(third + 1, partial ? end : end + 1))
    else if (!partial) out.push(data.subarray(end, end + 1))
    this.#continues[own] = partial
  }
}
