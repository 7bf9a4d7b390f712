import { closeSync, fstatSync, openSync, readSync } from 'node:fs'
import { systemCode } from '../../base/errors.ts'

const HEADER = 32
const FRAME_HEADER = 24
const MAGIC = 0x377f0682
/** How much of the log is in memory at a time. */
const CHUNK = 4 * 1024 * 1024

export interface WalCheck {
  /** Frames that are whole, one after the other from the beginning. */
  readonly frames: number
  /** `torn`: the last transaction was cut short and counts as never made. `damaged`: later ones follow what is broken. */
  readonly state: 'whole' | 'torn' | 'damaged'
}

/**
 * Looks at a write-ahead log as it was left (SQLite's "WAL-mode file format"). SQLite itself stops reading at the first broken frame
 * and silently forgets all that follows. That is right for the end of the log: what was being written at a crash was not acknowledged.
 * But each transaction is flushed before the next begins, so a frame of a later transaction after a broken one means that something
 * was broken which had been safe.
 */
export function checkWal(path: string): WalCheck {
  const fd = openIfThere(path)
  if (fd === null) return { frames: 0, state: 'whole' }
  try {
    return check(fd, fstatSync(fd).size)
  } finally {
    closeSync(fd)
  }
}

function check(fd: number, length: number): WalCheck {
  if (length < HEADER + FRAME_HEADER) return { frames: 0, state: 'whole' }
  const head = read(fd, 0, HEADER + FRAME_HEADER)
  const pageSize = head.readUInt32BE(8)
  const size = FRAME_HEADER + pageSize
  const headerWhole = isHeader(head)
  const plausible = headerWhole || (pageSize >= 512 && pageSize <= 65536)
  if (!plausible) return { frames: 0, state: 'damaged' }
  // The salts mark this run of the log; frames of earlier runs may follow its end.
  const salts = headerWhole ? head.subarray(16, 24) : head.subarray(HEADER + 8, HEADER + 16)
  const littleEndian = (head.readUInt32BE(0) & 1) === 0
  const count = Math.floor((length - HEADER) / size)
  const cut = (length - HEADER) % size > 0
  let sum: Sum | null = headerWhole ? [head.readUInt32BE(24), head.readUInt32BE(28)] : null
  let frames = 0
  let rest = 0
  let afterCommit = false
  for (const frame of framesOf(fd, size, count)) {
    const isOfThisRun = salts.compare(frame, 8, 16) === 0
    sum = sum && isOfThisRun ? sumOf(frame, sum, littleEndian) : null
    if (sum) {
      frames++
      continue
    }
    if (!isOfThisRun) continue
    if (afterCommit) return { frames, state: 'damaged' }
    rest++
    afterCommit = frame.readUInt32BE(4) !== 0
  }
  return { frames, state: rest === 0 && !cut ? 'whole' : 'torn' }
}

function openIfThere(path: string): number | null {
  try {
    return openSync(path, 'r')
  } catch (error) {
    if (systemCode(error) === 'ENOENT') return null
    throw error
  }
}

function read(fd: number, at: number, length: number): Buffer {
  const bytes = Buffer.allocUnsafe(length)
  for (let done = 0; done < length;) {
    const count = readSync(fd, bytes, done, length - done, at + done)
    if (count === 0) throw new Error('the write-ahead log became shorter while it was read')
    done += count
  }
  return bytes
}

/** One after the other, whatever the size of the log: it can become as large as the database. */
function* framesOf(fd: number, size: number, count: number): Generator<Buffer, void> {
  const together = Math.max(1, Math.floor(CHUNK / size))
  for (let first = 0; first < count; first += together) {
    const chunk = read(fd, HEADER + first * size, Math.min(together, count - first) * size)
    for (let at = 0; at < chunk.length; at += size) yield chunk.subarray(at, at + size)
  }
}

/** The sum up to and including the frame, or null if it is not the one that the frame names. */
function sumOf(frame: Buffer, before: Sum, littleEndian: boolean): Sum | null {
  const sum = checksum(frame, FRAME_HEADER, frame.length, checksum(frame, 0, 8, before, littleEndian), littleEndian)
  return sum[0] === frame.readUInt32BE(16) && sum[1] === frame.readUInt32BE(20) ? sum : null
}

function isHeader(log: Buffer): boolean {
  if ((log.readUInt32BE(0) & ~1) >>> 0 !== MAGIC) return false
  const sum = checksum(log, 0, 24, [0, 0], (log.readUInt32BE(0) & 1) === 0)
  return sum[0] === log.readUInt32BE(24) && sum[1] === log.readUInt32BE(28)
}

type Sum = readonly [number, number]

/** The sum over 32-bit words, in the byte order that the header's magic number names. */
function checksum(log: Buffer, from: number, to: number, [first, second]: Sum, littleEndian: boolean): Sum {
  const words = new DataView(log.buffer, log.byteOffset, log.byteLength)
  for (let at = from; at < to; at += 8) {
    first = (first + words.getUint32(at, littleEndian) + second) >>> 0
    second = (second + words.getUint32(at + 4, littleEndian) + first) >>> 0
  }
  return [first, second]
}
