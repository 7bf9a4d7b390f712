/** As much of tar as copying needs: regular files. Source: POSIX.1-2017 `pax`, ustar interchange format. */

const BLOCK = 512
const MODE = 0o644
/** ustar has eleven octal digits for a size. */
const LARGEST = 8 ** 11 - 1

/** A file's header. Throws RangeError where the name or the size is beyond what ustar can say. */
export function tarHeader(name: string, size: number, mtimeSeconds: number): Uint8Array {
  const bytes = new TextEncoder().encode(name)
  if (bytes.length > 100) throw new RangeError(`the name ${name} is longer than 100 bytes`)
  if (size > LARGEST) throw new RangeError(`${name} is larger than 8 GiB`)
  const block = new Uint8Array(BLOCK)
  const text = (at: number, value: string) => block.set(new TextEncoder().encode(value), at)
  const octal = (at: number, length: number, value: number) => text(at, `${value.toString(8).padStart(length - 1, '0')}\0`)
  block.set(bytes, 0)
  octal(100, 8, MODE)
  octal(108, 8, 0)
  octal(116, 8, 0)
  octal(124, 12, size)
  octal(136, 12, Math.floor(mtimeSeconds))
  text(148, '        ')
  text(156, '0')
  text(257, 'ustar\0')
  text(263, '00')
  const sum = block.reduce((total, byte) => total + byte, 0)
  text(148, `${sum.toString(8).padStart(6, '0')}\0 `)
  return block
}

/** Zeros that fill a file's last block. */
export const tarPadding = (size: number): Uint8Array => new Uint8Array((BLOCK - (size % BLOCK)) % BLOCK)
/** What ends an archive. */
export const tarEnd = (): Uint8Array => new Uint8Array(2 * BLOCK)

/** Where in the archive the only file of it stands; null where there are several entries, or it is none. */
export function onlyFile(head: Uint8Array, total: number): { readonly name: string; readonly size: number; readonly at: number } | null {
  if (head.length < BLOCK || String.fromCharCode(...head.subarray(257, 262)) !== 'ustar') return null
  const type = head[156]
  if (type !== 0x30 && type !== 0) return null
  const field = (at: number, length: number) => new TextDecoder().decode(head.subarray(at, at + length)).split('\0')[0] ?? ''
  const size = Number.parseInt(field(124, 12).trim(), 8)
  const end = BLOCK + Math.ceil(size / BLOCK) * BLOCK
  // GNU tar fills up to a record of twenty blocks.
  return Number.isNaN(size) || total - end > 20 * BLOCK || total < end ? null : { name: field(0, 100), size, at: BLOCK }
}
