/** Files to and from a machine: complete or not there at all. */
import { createHash } from 'node:crypto'
import { createReadStream } from 'node:fs'
import { open, rename, rm, stat } from 'node:fs/promises'
import type { Clock } from '../../base/clock.ts'
import { FlotillaError, messageOf, systemCode } from '../../base/errors.ts'
import { quote } from '../quote.ts'
import { requireSuccess, type Shell } from './exec.ts'

export interface UploadSource {
  /** The bytes as they are sent. */
  readonly content: AsyncIterable<Uint8Array> | Uint8Array
  /** How many bytes are sent. */
  readonly size: number
  /** The program that unpacks them on the machine, if they are compressed. */
  readonly unpack?: 'gzip' | 'zstd'
  /** Of the file as it will be on the machine. */
  readonly unpackedSize: number
  /** Lower-case hex, of the file as it will be on the machine. */
  readonly sha256: string
}

export interface UploadOptions {
  /** Octal: 0o755. */
  readonly mode: number
  /** "user:group"; absent: whoever the shell is. */
  readonly owner?: string
  readonly signal?: AbortSignal
  /** A script to run there first. */
  readonly before?: string
  /** Bytes sent so far. */
  onProgress?(sent: number): void
}

/**
 * Writes a file under a name of its own beside `path`, checks it, and renames it, so that `path` is the old file or the whole new one.
 * The shell on the machine takes away by itself what is half written when it fails or the connection breaks. `id` is unique to this attempt.
 * Throws DISK_FULL with numbers, REMOTE_COMMAND_FAILED, SSH_CONNECTION_LOST, or the signal's reason.
 */
export async function upload(shell: Shell, source: UploadSource, path: string, id: string, options: UploadOptions): Promise<void> {
  const part = `${path}.part.${id}`
  const script = `
${options.before ?? ''}
set -u
path=${quote(path)} part=${quote(part)} size=${source.unpackedSize}
dir=$(dirname "$path") made=
while [ ! -d "$dir" ]; do made="$made $dir"; dir=$(dirname "$dir"); done
# Folders that were made for a file that does not come go again.
trap 'rm -f "$part"; [ -z "$made" ] || rmdir $made 2>/dev/null' EXIT
trap 'exit 130' HUP INT TERM PIPE
dir=$(dirname "$path")
(umask 022; mkdir -p "$dir") || exit 1
umask 077
rm -f "$path".part.*
free=$(df -Pk "$dir" | { read -r _; read -r _ _ _ free _; echo "$free"; })
[ "$free" -ge $((size / 1024 + 1)) ] || { echo "free $free" >&2; exit 74; }
# Summed up while it comes. A disk that fills up is told by tee, and seen by what is missing.
sum=$(${unpackCommand(source.unpack)} | tee "$part" | sha256sum | cut -d' ' -f1)
[ "$(wc -c < "$part")" -eq "$size" ] || { echo "incomplete" >&2; exit 75; }
[ "$sum" = ${source.sha256} ] || { echo "damaged" >&2; exit 76; }
chmod ${options.mode.toString(8)} "$part" || exit 1
${options.owner === undefined ? '' : `chown ${quote(options.owner)} "$part" || exit 1`}
mv -f "$part" "$path"
`
  let sent = 0
  async function* counted(): AsyncGenerator<Uint8Array> {
    for await (const chunk of source.content instanceof Uint8Array ? slices(source.content) : source.content) {
      options.signal?.throwIfAborted()
      yield chunk
      sent += chunk.length
      options.onProgress?.(sent)
    }
  }
  const result = await shell.exec(script, { stdin: counted(), signal: options.signal })
  if (result.code === 0) return
  const what = `Could not copy ${path} to the machine.`
  const free = /^free (\d+)$/m.exec(result.stderr)?.[1]
  if (free !== undefined || /No space left|quota exceeded/i.test(result.stderr)) throw diskFull(what, path, source.unpackedSize, free)
  if (result.code === 75 || result.code === 76)
    throw new FlotillaError('REMOTE_COMMAND_FAILED', {
      what,
      why: result.code === 75 ? `Only a part of it arrived (${sent} of ${source.size} bytes were sent).` : 'It arrived with other content.',
      next: 'Try again.',
    })
  requireSuccess(result, what)
}

function unpackCommand(unpack: UploadSource['unpack']): string {
  return unpack === undefined ? 'cat' : unpack === 'gzip' ? 'gzip -dc' : 'zstd -dcq'
}

function diskFull(what: string, path: string, size: number, freeKib: string | undefined): FlotillaError {
  const free = freeKib === undefined ? 'It filled up while copying' : `${mebibytes(Number(freeKib) * 1024)} are free`
  return new FlotillaError('DISK_FULL', {
    what,
    why: `The disk of the machine is full: ${free}, ${mebibytes(size)} are needed.`,
    next: `Free some space where ${path} goes, then try again.`,
  })
}

/** "127 MiB"; below ten with one digit. */
export function mebibytes(bytes: number): string {
  const size = bytes / (1 << 20)
  return `${size < 10 ? size.toFixed(1) : Math.round(size)} MiB`
}

function* slices(bytes: Uint8Array): Iterable<Uint8Array> {
  for (let at = 0; at < bytes.length; at += 1 << 18) yield bytes.subarray(at, at + (1 << 18))
}

/** A small file from memory. */
export function contentSource(content: string | Uint8Array): UploadSource {
  const bytes = Buffer.from(content)
  return { content: bytes, size: bytes.length, unpackedSize: bytes.length, sha256: createHash('sha256').update(bytes).digest('hex') }
}

/** A file of this computer as it is. */
export async function fileSource(path: string): Promise<UploadSource> {
  const { size } = await stat(path)
  return { content: createReadStream(path, { highWaterMark: 1 << 18 }), size, unpackedSize: size, sha256: await sha256File(path) }
}

export async function sha256File(path: string): Promise<string> {
  const hash = createHash('sha256')
  for await (const chunk of createReadStream(path, { highWaterMark: 1 << 20 })) hash.update(chunk as Buffer)
  return hash.digest('hex')
}

/** The sha256 of a file on the machine; null if it is not there. */
export async function remoteSha256(shell: Shell, path: string, signal?: AbortSignal): Promise<string | null> {
  const { stdout } = await shell.exec(`sha256sum < ${quote(path)} 2>/dev/null`, { signal })
  return /^([0-9a-f]{64})\b/.exec(stdout)?.[1] ?? null
}

/** Bytes a second, from what was sent in how long; null before enough went to tell. */
export class Throughput {
  #bytes = 0
  #ms = 0
  readonly #clock: Clock

  constructor(clock: Clock) {
    this.#clock = clock
  }

  get bytesPerSecond(): number | null {
    return this.#bytes < 1 << 20 || this.#ms <= 0 ? null : (this.#bytes * 1000) / this.#ms
  }

  async measure(bytes: number, work: () => Promise<void>): Promise<void> {
    const start = this.#clock.monotonic()
    await work()
    this.#bytes += bytes
    this.#ms += this.#clock.monotonic() - start
  }
}

/** Copies a file of the machine to this computer. Throws REMOTE_COMMAND_FAILED if it cannot be read, DISK_FULL if it does not fit here. */
export async function download(
  shell: Shell,
  path: string,
  localPath: string,
  options: { signal?: AbortSignal; onProgress?(received: number): void } = {},
): Promise<void> {
  const part = `${localPath}.part`
  const file = await open(part, 'w', 0o600)
  let received = 0
  try {
    const result = await shell.exec(`exec cat ${quote(path)}`, {
      signal: options.signal,
      onStdout: async (chunk) => {
        await file.write(chunk)
        received += chunk.length
        options.onProgress?.(received)
      },
    })
    requireSuccess(result, `Could not read ${path} on the machine.`)
    await file.sync()
    await file.close()
    await rename(part, localPath)
  } catch (error) {
    await file.close().catch(() => undefined)
    await rm(part, { force: true })
    if (systemCode(error) !== 'ENOSPC') throw error
    throw new FlotillaError('DISK_FULL', {
      what: `Could not store ${localPath}.`,
      why: `The disk of this computer is full: ${messageOf(error)}.`,
      next: 'Free some space, then try again.',
      cause: error,
    })
  }
}
