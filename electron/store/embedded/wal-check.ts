import { readFileSync } from 'node:fs'

const HEADER = 32
const FRAME_HEADER = 24
const MAGIC = 0x377f0682

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
  const log = readIfThere(path)
  if (log === null || log.length < HEADER + FRAME_HEADER) return { frames: 0, state: 'whole' }
  const pageSize = log.readUInt32BE(8)
  const size = FRAME_HEADER + pageSize
  const headerWhole = isHeader(log)
  const plausible = headerWhole || (pageSize >= 512 && pageSize <= 65536)
  if (!plausible) return { frames: 0, state: 'damaged' }
  // The salts mark this run of the log; frames of earlier runs may follow its end.
  const salts = headerWhole ? log.subarray(16, 24) : log.subarray(HEADER + 8, HEADER + 16)
  const count = Math.floor((log.length - HEADER) / size)
  const cut = (log.length - HEADER) % size > 0
  const isOfThisRun = (i: number) => log.compare(salts, 0, 8, HEADER + i * size + 8, HEADER + i * size + 16) === 0
  const frames = headerWhole ? wholeFrames(log, size, count, isOfThisRun) : 0
  let rest = 0
  let afterCommit = false
  for (let i = frames; i < count; i++) {
    if (!isOfThisRun(i)) continue
    if (afterCommit) return { frames, state: 'damaged' }
    rest++
    afterCommit = log.readUInt32BE(HEADER + i * size + 4) !== 0
  }
  return { frames, state: rest === 0 && !cut ? 'whole' : 'torn' }
}

function readIfThere(path: string): Buffer | null {
  try {
    return readFileSync(path)
  } catch (error) {
    if (error instanceof Error && 'code' in error && error.code === 'ENOENT') return null
    throw error
  }
}

function isHeader(log: Buffer): boolean {
  if ((log.readUInt32BE(0) & ~1) >>> 0 !== MAGIC) return false
  const sum = checksum(log, 0, 24, [0, 0])
  return sum[0] === log.readUInt32BE(24) && sum[1] === log.readUInt32BE(28)
}

function wholeFrames(log: Buffer, size: number, count: number, isOfThisRun: (i: number) => boolean): number {
  let sum: Sum = [log.readUInt32BE(24), log.readUInt32BE(28)]
  for (let i = 0; i < count; i++) {
    const at = HEADER + i * size
    if (!isOfThisRun(i)) return i
    sum = checksum(log, at + FRAME_HEADER, at + size, checksum(log, at, at + 8, sum))
    if (sum[0] !== log.readUInt32BE(at + 16) || sum[1] !== log.readUInt32BE(at + 20)) return i
  }
  return count
}

type Sum = readonly [number, number]

/** The sum over 32-bit words, in the byte order that the header's magic number names. */
function checksum(log: Buffer, from: number, to: number, [first, second]: Sum): Sum {
  const words = new DataView(log.buffer, log.byteOffset, log.byteLength)
  const littleEndian = (log.readUInt32BE(0) & 1) === 0
  for (let at = from; at < to; at += 8) {
    first = (first + words.getUint32(at, littleEndian) + second) >>> 0
    second = (second + words.getUint32(at + 4, littleEndian) + first) >>> 0
  }
  return [first, second]
}
