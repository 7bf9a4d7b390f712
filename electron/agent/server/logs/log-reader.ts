/** Reads a container's log as the container wrote it: its text, without the runtime's marks, over files that are set aside meanwhile. */
import { watch } from 'node:fs'
import { stat } from 'node:fs/promises'
import { basename, dirname } from 'node:path'
import { deferred } from '../../../base/async.ts'
import { type Clock, sleep } from '../../../base/clock.ts'
import { systemCode } from '../../../base/errors.ts'
import type { LogOptions } from './log-options.ts'
import { closeLogs, openLogs, openLogsAfter, type OpenLog } from './open-logs.ts'
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
/** How long after the last write to a file that was set aside nothing more is expected of it, in milliseconds. */
const SETTLE = 500
const NEWLINE = 10
const SPACE = 32
const PARTIAL = 80
const ERR = 101

/** Ends with the log, or with `follow` when the container has; a missing log is an empty one. */
export async function* readLog(source: LogSource, options: LogOptions, clock: Clock, signal: AbortSignal): AsyncGenerator<Buffer, void> {
  const writer = new LineWriter(options)
  let left = options.limitBytes ?? Infinity
  for await (const chunk of rawChunks(source, options, clock, signal)) {
    const text = writer.write(chunk)
    if (!text.length) continue
    yield text.subarray(0, Math.min(left, text.length))
    left -= text.length
    if (left <= 0) return
  }
}

/** What each file holds, oldest first. A file is left for the next one only when nobody writes to it any more. */
async function* rawChunks(source: LogSource, { follow, tailLines }: LogOptions, clock: Clock, signal: AbortSignal) {
  using alarm = new Alarm()
  using _change = source.onChange(() => alarm.ring())
  using _watcher = watchFolder(source.path, () => alarm.ring())
  const onAbort = () => alarm.ring()
  signal.addEventListener('abort', onAbort, { once: true })
  const logs = await openLogs(source.path)
  try {
    const start = tailLines === null ? { file: 0, offset: 0 } : await findTail(logs, tailLines)
    await closeLogs(logs.splice(0, start.file))
    for (let at = start.offset; !signal.aborted;) {
      // Asked before the read, so that what was written last is not missed.
      const running = source.running()
      const [log] = logs
      if (log) {
        if (at === Infinity) at = (await log.handle.stat()).size
        for (let chunk = await readChunk(log, at); chunk.length; chunk = await readChunk(log, at)) {
          at += chunk.length
          yield chunk
        }
        if (logs.length > 1) {
          if (!(await isFinished(log, at, clock, signal))) continue
          await closeLogs(logs.splice(0, 1))
          at = 0
          continue
        }
      }
      if (!follow) return
      const later = log ? await laterLogs(log, source.path) : await openLogs(source.path)
      logs.push(...later)
      if (later.length > 0) continue
      if (!running) return
      await alarm.wait()
    }
  } finally {
    signal.removeEventListener('abort', onAbort)
    await closeLogs(logs)
  }
}

/**
 * Whether a file that was set aside has been read to its end, `at`. The runtime opens the next file before it has written out what
 * it holds for this one, and tells nobody when it has; it is given some time after the last write.
 */
async function isFinished({ handle }: OpenLog, at: number, clock: Clock, signal: AbortSignal): Promise<boolean> {
  const { size, mtimeMs } = await handle.stat()
  if (size > at) return false
  const left = Math.min(SETTLE, mtimeMs + SETTLE - clock.now())
  if (left <= 0) return true
  await sleep(clock, left, signal).catch((error: unknown) => {
    if (!signal.aborted) throw error
  })
  return false
}

/** The files after one that is no longer the one that is written; none if it still is. */
async function laterLogs(log: OpenLog, path: string): Promise<OpenLog[]> {
  const named = await stat(path).catch((error: unknown) => {
    if (systemCode(error) === 'ENOENT') return null
    throw error
  })
  return named === null || named.ino === log.inode ? [] : await openLogsAfter(log, path)
}

async function readChunk({ handle }: OpenLog, position: number): Promise<Buffer> {
  const buffer = Buffer.allocUnsafe(CHUNK)
  const { bytesRead } = await handle.read(buffer, 0, CHUNK, position)
  return buffer.subarray(0, bytesRead)
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
