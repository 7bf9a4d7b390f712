/** An image archive from the UI to machines: kept in a file while it comes, looked at, then sent to several at once. */
import { createReadStream, createWriteStream } from 'node:fs'
import { mkdir, rm, stat } from 'node:fs/promises'
import { dirname } from 'node:path'
import { Readable } from 'node:stream'
import { pipeline } from 'node:stream/promises'
import { mapLimit } from '../../base/async.ts'
import type { Clock } from '../../base/clock.ts'
import { FlotillaError, messageOf, systemCode } from '../../base/errors.ts'
import { decompressor, readArchive } from '../images/archive-reader.ts'
import { importImage } from '../images/import.ts'
import type { SshConnection } from '../ssh/connection.ts'
import { rootShell } from '../ssh/sudo.ts'
import { mebibytes } from '../ssh/transfer.ts'

export type ImportEvent =
  | { readonly type: 'progress'; readonly machine: string; readonly detail: string }
  | { readonly type: 'done'; readonly machine: string; readonly images: string[] }
  | {
      readonly type: 'failed'
      readonly machine: string
      readonly code: string
      readonly what: string
      readonly why: string
      readonly next: string
    }

export interface ImportTarget {
  readonly name: string
  readonly connection: (signal: AbortSignal) => Promise<{ connection: SshConnection } & AsyncDisposable>
}

/** Machines that are sent to at the same time. */
const AT_ONCE = 3

/**
 * Takes the archive (a tar, perhaps compressed with gzip or zstd) to its end and imports it everywhere. What fails on one machine is
 * told as an event and does not stop the others. Throws IMAGE_IMPORT_FAILED if it is no image archive, DISK_FULL if it does not fit
 * here.
 */
export async function importArchive(
  source: AsyncIterable<Uint8Array>,
  targets: readonly ImportTarget[],
  options: { file: string; clock: Clock; signal: AbortSignal; emit(event: ImportEvent): void },
): Promise<void> {
  const { file, clock, signal } = options
  try {
    await spool(source, file, signal)
    const { references } = await readArchive(createReadStream(file))
    const { size } = await stat(file)
    await mapLimit(targets, AT_ONCE, async ({ name, connection }) => {
      try {
        options.emit({ type: 'progress', machine: name, detail: 'connecting' })
        await using machine = await connection(signal)
        const root = await rootShell(machine.connection, undefined, signal)
        const chunks = withProgress(createReadStream(file, { highWaterMark: 1 << 18 }), clock, (sent) =>
          options.emit({ type: 'progress', machine: name, detail: `sent ${mebibytes(sent)} of ${mebibytes(size)}` }),
        )
        const images = await importImage(root, chunks, { machine: name, signal })
        options.emit({ type: 'done', machine: name, images: images.length ? images : [...references] })
      } catch (error) {
        signal.throwIfAborted()
        options.emit({ type: 'failed', machine: name, ...partsOf(error, name) })
      }
    })
  } finally {
    await rm(file, { force: true })
  }
}

async function spool(source: AsyncIterable<Uint8Array>, file: string, signal: AbortSignal): Promise<void> {
  await mkdir(dirname(file), { recursive: true, mode: 0o700 })
  const iterator = source[Symbol.asyncIterator]()
  const first = await iterator.next()
  const start = first.done ? new Uint8Array() : first.value
  async function* all(): AsyncGenerator<Uint8Array> {
    yield start
    for (let next = await iterator.next(); !next.done; next = await iterator.next()) yield next.value
  }
  const unpack = decompressor(start)
  const into = createWriteStream(file, { mode: 0o600 })
  try {
    if (unpack) await pipeline(Readable.from(all()), unpack, into, { signal })
    else await pipeline(Readable.from(all()), into, { signal })
  } catch (error) {
    signal.throwIfAborted()
    if (systemCode(error) === 'ENOSPC')
      throw new FlotillaError('DISK_FULL', {
        what: 'The archive does not fit on this computer.',
        why: `The disk of ${dirname(file)} is full.`,
        next: 'Free some space, then try again.',
        cause: error,
      })
    if (systemCode(error)?.startsWith('Z'))
      throw new FlotillaError('IMAGE_IMPORT_FAILED', {
        what: 'This file cannot be unpacked.',
        why: `${messageOf(error)}.`,
        next: 'Save the image again, then import that.',
        cause: error,
      })
    throw error
  }
}

async function* withProgress(source: AsyncIterable<Uint8Array>, clock: Clock, report: (sent: number) => void): AsyncGenerator<Uint8Array> {
  let sent = 0
  let shown = clock.monotonic()
  for await (const chunk of source) {
    yield chunk
    sent += chunk.length
    if (clock.monotonic() - shown < 500) continue
    shown = clock.monotonic()
    report(sent)
  }
}

function partsOf(error: unknown, machine: string): { code: string; what: string; why: string; next: string } {
  if (error instanceof FlotillaError) {
    const { code, what, why, next } = error
    return code === 'NO_SUDO'
      ? { code, what, why: 'sudo there asks for a password, which Flotilla does not keep.', next: NO_SUDO_NEXT }
      : { code, what, why, next }
  }
  return {
    code: 'IMAGE_IMPORT_FAILED',
    what: `The images could not be put on ${machine}.`,
    why: `${messageOf(error)}.`,
    next: 'This is a defect; the log has the details.',
  }
}

const NO_SUDO_NEXT = 'Push the image to a registry that the machine can pull from, or let its user run sudo without a password.'
