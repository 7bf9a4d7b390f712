/** Header compression for HTTP/2 (RFC 7541). This end reads all of it, and writes without a table. */
import { HpackError } from './hpack-error.ts'
import { decodeHuffman } from './huffman.ts'

export interface HeaderField {
  readonly name: string
  readonly value: string
}

/** The size of a table's entry beside its text (RFC 7541, section 4.1). */
const ENTRY = 32
export const DEFAULT_TABLE_SIZE = 4096

/** RFC 7541, Appendix A: "name" or "name=value". */
const STATIC: readonly HeaderField[] = (
  ':authority|:method=GET|:method=POST|:path=/|:path=/index.html|:scheme=http|:scheme=https|:status=200|:status=204|:status=206|' +
  ':status=304|:status=400|:status=404|:status=500|accept-charset|accept-encoding=gzip, deflate|accept-language|accept-ranges|accept|' +
  'access-control-allow-origin|age|allow|authorization|cache-control|content-disposition|content-encoding|content-language|' +
  'content-length|content-location|content-range|content-type|cookie|date|etag|expect|expires|from|host|if-match|if-modified-since|' +
  'if-none-match|if-range|if-unmodified-since|last-modified|link|location|max-forwards|proxy-authenticate|proxy-authorization|range|' +
  'referer|refresh|retry-after|server|set-cookie|strict-transport-security|transfer-encoding|user-agent|vary|via|www-authenticate'
)
  .split('|')
  .map((text) => {
    const [name = '', value = ''] = text.split(/=(.*)/s)
    return { name, value }
  })

export class HpackDecoder {
  /** The dynamic table, the newest entry last. */
  #entries: HeaderField[] = []
  #size = 0
  #limit = DEFAULT_TABLE_SIZE
  readonly #maxList: number
  #bytes: Uint8Array = Buffer.alloc(0)
  #at = 0
  #end = 0

  /** `maxList`: what all fields of a block may come to, in bytes as HPACK counts them. */
  constructor(maxList: number) {
    this.#maxList = maxList
  }

  /** The fields of a whole header block; null if they are more than was allowed. Throws HpackError. */
  decode(block: Uint8Array): HeaderField[] | null {
    this.#bytes = block
    this.#at = 0
    this.#end = block.length
    const fields: HeaderField[] = []
    let size = 0
    let mayResize = true
    while (this.#at < this.#end) {
      const first = block[this.#at] as number
      if ((first & 0xe0) === 0x20) {
        if (!mayResize) throw new HpackError('the table is resized in the middle of a header block')
        this.#resize(this.#integer(5))
        continue
      }
      mayResize = false
      const field = first & 0x80 ? this.#entry(this.#integer(7)) : this.#literal(first)
      size += field.name.length + field.value.length + ENTRY
      // The rest is read all the same, because it may change the table.
      if (size <= this.#maxList) fields.push(field)
    }
    return size <= this.#maxList ? fields : null
  }

  #literal(first: number): HeaderField {
    const indexed = (first & 0x40) !== 0
    const index = this.#integer(indexed ? 6 : 4)
    const name = index === 0 ? this.#string() : this.#entry(index).name
    const field = { name, value: this.#string() }
    if (indexed) this.#add(field)
    return field
  }

  #entry(index: number): HeaderField {
    const found = index <= STATIC.length ? STATIC[index - 1] : this.#entries[this.#entries.length - (index - STATIC.length)]
    if (!found) throw new HpackError(`there is no header field ${index}`)
    return found
  }

  #add(field: HeaderField): void {
    this.#entries.push(field)
    this.#size += sizeOf(field)
    this.#evict()
  }

  #resize(limit: number): void {
    if (limit > DEFAULT_TABLE_SIZE) throw new HpackError('the table is made larger than was allowed')
    this.#limit = limit
    this.#evict()
  }

  #evict(): void {
    let dropped = 0
    while (this.#size > this.#limit) this.#size -= sizeOf(this.#entries[dropped++] as HeaderField)
    if (dropped > 0) this.#entries.splice(0, dropped)
  }

  /** RFC 7541, section 5.1. */
  #integer(prefix: number): number {
    const mask = (1 << prefix) - 1
    let value = this.#byte() & mask
    if (value < mask) return value
    for (let shift = 0; shift <= 21; shift += 7) {
      const byte = this.#byte()
      value += (byte & 0x7f) * 2 ** shift
      if (byte < 0x80) return value
    }
    throw new HpackError('a number is too large')
  }

  #string(): string {
    const huffman = ((this.#bytes[this.#at] ?? 0) & 0x80) !== 0
    const length = this.#integer(7)
    const start = this.#at
    this.#at += length
    if (this.#at > this.#end) throw new HpackError('a header block is cut off')
    if (huffman) return decodeHuffman(this.#bytes, start, this.#at)
    return Buffer.from(this.#bytes.buffer, this.#bytes.byteOffset + start, length).toString('latin1')
  }

  #byte(): number {
    const byte = this.#bytes[this.#at++]
    if (byte === undefined) throw new HpackError('a header block is cut off')
    return byte
  }
}

function sizeOf({ name, value }: HeaderField): number {
  return name.length + value.length + ENTRY
}

/** Whether they can be a request’s (RFC 9113, section 8.3): pseudo fields first, and names in lower case. */
export function wellFormed(fields: readonly HeaderField[]): boolean {
  let plain = false
  for (const { name } of fields) {
    const pseudo = name.charCodeAt(0) === 0x3a
    if (pseudo && plain) return false
    plain ||= !pseudo
    if (/[A-Z]/.test(name)) return false
  }
  return true
}

/** A header block in which each field is spelt out, so that no state is shared with the peer. Names are lower case. */
export function encodeHeaders(fields: readonly (readonly [name: string, value: string])[]): Buffer {
  const parts: Buffer[] = []
  for (const [name, value] of fields) {
    parts.push(Buffer.from([0]), lengthOf(name), Buffer.from(name, 'latin1'), lengthOf(value), Buffer.from(value, 'latin1'))
  }
  return Buffer.concat(parts)
}

function lengthOf(text: string): Buffer {
  let rest = text.length - 0x7f
  if (rest < 0) return Buffer.from([text.length])
  const bytes = [0x7f]
  for (; rest >= 0x80; rest = Math.floor(rest / 128)) bytes.push((rest % 128) | 0x80)
  bytes.push(rest)
  return Buffer.from(bytes)
}
