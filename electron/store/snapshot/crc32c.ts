/** CRC-32C (Castagnoli), as in RFC 3720 appendix B.4; eight tables, so that eight bytes are folded in at a time. */
const POLYNOMIAL = 0x82f63b78
const TABLES: readonly Uint32Array[] = makeTables()

/** `seed` is the checksum of what came before; 0 at the beginning. */
export function crc32c(bytes: Uint8Array, seed = 0): number {
  const [t0, t1, t2, t3, t4, t5, t6, t7] = TABLES as [Table, Table, Table, Table, Table, Table, Table, Table]
  let crc = ~seed
  let at = 0
  for (const end = bytes.length - 7; at < end; at += 8) {
    crc ^= byte(bytes, at) | (byte(bytes, at + 1) << 8) | (byte(bytes, at + 2) << 16) | (byte(bytes, at + 3) << 24)
    crc =
      byte(t7, crc & 0xff) ^
      byte(t6, (crc >>> 8) & 0xff) ^
      byte(t5, (crc >>> 16) & 0xff) ^
      byte(t4, crc >>> 24) ^
      byte(t3, byte(bytes, at + 4)) ^
      byte(t2, byte(bytes, at + 5)) ^
      byte(t1, byte(bytes, at + 6)) ^
      byte(t0, byte(bytes, at + 7))
  }
  for (; at < bytes.length; at++) crc = byte(t0, (crc ^ byte(bytes, at)) & 0xff) ^ (crc >>> 8)
  return ~crc >>> 0
}

type Table = Uint32Array

function byte(of: Uint8Array | Uint32Array, at: number): number {
  return of[at] as number
}

function makeTables(): Uint32Array[] {
  const first = new Uint32Array(256)
  for (let i = 0; i < 256; i++) {
    let crc = i
    for (let bit = 0; bit < 8; bit++) crc = crc & 1 ? (crc >>> 1) ^ POLYNOMIAL : crc >>> 1
    first[i] = crc
  }
  const tables = [first]
  for (let n = 1; n < 8; n++) {
    const before = tables[n - 1] as Uint32Array
    tables.push(before.map((crc) => (crc >>> 8) ^ byte(first, crc & 0xff)))
  }
  return tables
}
