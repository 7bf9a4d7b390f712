/** A static Linux executable of one segment, for programs small enough to be written down as machine code. Source: System V gABI, ELF-64. */

/** As OCI and Kubernetes name them. */
export type Architecture = 'amd64' | 'arm64'

const MACHINE: Record<Architecture, number> = { amd64: 62, arm64: 183 }
/** The largest page size that Linux uses on either machine. */
const PAGE = 0x10000
const BASE = 0x400000
const HEADER = 64
const PROGRAM_HEADER = 56

const PT_LOAD = 1
const PT_GNU_STACK = 0x6474e551
const READ_EXECUTE = 5
const READ_WRITE = 6

/** The executable that starts at the first byte of `code`, with a stack that is not executable. */
export function staticElf(architecture: Architecture, code: Uint8Array): Uint8Array {
  const start = HEADER + 2 * PROGRAM_HEADER
  const size = start + code.length
  const bytes = new Uint8Array(size)
  const view = new DataView(bytes.buffer)
  // e_ident: magic, 64-bit, little-endian, version 1, System V.
  bytes.set([0x7f, 0x45, 0x4c, 0x46, 2, 1, 1, 0])
  view.setUint16(16, 2, true) // ET_EXEC
  view.setUint16(18, MACHINE[architecture], true)
  view.setUint32(20, 1, true)
  view.setBigUint64(24, BigInt(BASE + start), true)
  view.setBigUint64(32, BigInt(HEADER), true)
  view.setUint16(52, HEADER, true)
  view.setUint16(54, PROGRAM_HEADER, true)
  view.setUint16(56, 2, true)
  view.setUint16(58, 64, true)
  programHeader(view, HEADER, { type: PT_LOAD, flags: READ_EXECUTE, address: BASE, size, align: PAGE })
  programHeader(view, HEADER + PROGRAM_HEADER, { type: PT_GNU_STACK, flags: READ_WRITE, address: 0, size: 0, align: 16 })
  bytes.set(code, start)
  return bytes
}

interface Segment {
  type: number
  flags: number
  address: number
  size: number
  align: number
}

function programHeader(view: DataView, at: number, segment: Segment): void {
  view.setUint32(at, segment.type, true)
  view.setUint32(at + 4, segment.flags, true)
  view.setBigUint64(at + 16, BigInt(segment.address), true)
  view.setBigUint64(at + 24, BigInt(segment.address), true)
  view.setBigUint64(at + 32, BigInt(segment.size), true)
  view.setBigUint64(at + 40, BigInt(segment.size), true)
  view.setBigUint64(at + 48, BigInt(segment.align), true)
}
