/** Downloads a large file whose checksum is known: continues what was cut off, and shows nothing under its name before it is whole and right. */
import { createHash } from 'node:crypto'
import { createReadStream, createWriteStream } from 'node:fs'
import { rename, rm, stat } from 'node:fs/promises'
import { pipeline } from 'node:stream/promises'
import { FlotillaError, messageOf, systemCode } from '../../base/errors.ts'

export interface DownloadProgress {
  readonly received: number
  /** Null if the server does not say. */
  readonly total: number | null
}

export interface DownloadOptions {
  readonly url: string
  readonly sha256: string
  readonly to: string
  readonly signal: AbortSignal
  readonly onProgress: (progress: DownloadProgress) => void
}

/** Throws INVALID_INPUT if it cannot be had or is another file, DISK_FULL if it does not fit. What came is kept for the next attempt. */
export async function download(options: DownloadOptions): Promise<void> {
  const { url, sha256, to, signal } = options
  const part = `${to}.part`
  try {
    await receive(options, part)
  } catch (error) {
    signal.throwIfAborted()
    throw downloadError(url, error)
  }
  const sum = await sumOf(part)
  if (sum !== sha256) {
    await rm(part, { force: true })
    throw new FlotillaError('INVALID_INPUT', {
      what: `${url} is not the file that was asked for.`,
      why: `Its SHA-256 is ${sum}, not ${sha256}.`,
      next: 'Check address and checksum; the distribution may have put a newer file there.',
    })
  }
  await rename(part, to)
}

async function receive({ url, signal, onProgress }: DownloadOptions, part: string): Promise<void> {
  const had = (await stat(part).catch(() => null))?.size ?? 0
  const response = await fetch(url, { signal, headers: had ? { range: `bytes=${had}-` } : {} })
  // All of it is here already.
  if (response.status === 416 && had > 0) return await response.body?.cancel()
  if (!response.ok || !response.body) throw new Refused(`the server answered ${response.status} ${response.statusText}`.trim())
  const resumed = response.status === 206 && startOf(response.headers.get('content-range')) === had
  if (response.status === 206 && !resumed) throw new Refused('the server sent another part than was asked for')
  let received = resumed ? had : 0
  const length = response.headers.get('content-length')
  const total = length === null ? null : received + Number(length)
  onProgress({ received, total })
  async function* counted(body: AsyncIterable<Uint8Array>): AsyncGenerator<Uint8Array> {
    for await (const chunk of body) {
      received += chunk.length
      onProgress({ received, total })
      yield chunk
    }
  }
  await pipeline(counted(response.body), createWriteStream(part, { flags: resumed ? 'a' : 'w' }), { signal })
  if (total !== null && received < total) throw new Refused(`the connection ended after ${received} of ${total} bytes`)
}

class Refused extends Error {}

function startOf(contentRange: string | null): number | null {
  const start = /^bytes (\d+)-/.exec(contentRange ?? '')?.[1]
  return start === undefined ? null : Number(start)
}

async function sumOf(file: string): Promise<string> {
  const hash = createHash('sha256')
  for await (const chunk of createReadStream(file, { highWaterMark: 1 << 20 }) as AsyncIterable<Buffer>) hash.update(chunk)
  return hash.digest('hex')
}

function downloadError(url: string, error: unknown): FlotillaError {
  const what = `${url} could not be downloaded.`
  if (systemCode(error) === 'ENOSPC')
    return new FlotillaError('DISK_FULL', {
      what,
      why: 'The disk is full.',
      next: 'Make room, then try again: it goes on where it stopped.',
      cause: error,
    })
  const cause = error instanceof Error && error.cause instanceof Error ? error.cause : error
  return new FlotillaError('INVALID_INPUT', {
    what,
    why: `${messageOf(cause)}.`,
    next: 'Check the address and the network, then try again: it goes on where it stopped.',
    cause: error,
  })
}
