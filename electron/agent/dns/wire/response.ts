/** Reading what other servers answered, as far as it must be understood to be handed on. */
import { FLAG, HEADER, TYPE } from './constants.ts'
import { encodeName, readName, skipName } from './name.ts'
import type { DnsRecord } from './record.ts'

export interface Response {
  readonly bytes: Uint8Array
  readonly rcode: number
  readonly truncated: boolean
  /** The records of the first two sections and of the third up to a pseudo-record. */
  readonly records: readonly ResponseRecord[]
  /** Where the last of them ends. */
  readonly end: number
  /** Of `records`, per section. */
  readonly counts: readonly [answers: number, authority: number, additional: number]
}

export interface ResponseRecord {
  readonly section: 'answer' | 'authority' | 'additional'
  readonly start: number
  readonly type: number
  readonly ttl: number
  /** Of the four bytes that hold it. */
  readonly ttlAt: number
  readonly dataAt: number
  readonly dataLength: number
}

/** Null if it is no whole answer to this question, which is compared without regard to case. */
export function readResponse(bytes: Uint8Array, id: number, question: Uint8Array): Response | null {
  if (bytes.length < HEADER + question.length) return null
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength)
  const flags = view.getUint16(2)
  if (view.getUint16(0) !== id || !(flags & FLAG.QR) || view.getUint16(4) !== 1) return null
  if (!sameQuestion(bytes.subarray(HEADER, HEADER + question.length), question)) return null
  const truncated = (flags & FLAG.TC) !== 0
  const wanted = [view.getUint16(6), view.getUint16(8), view.getUint16(10)]
  const counts: [number, number, number] = [0, 0, 0]
  const records: ResponseRecord[] = []
  let at = HEADER + question.length
  for (const [section, name] of (['answer', 'authority', 'additional'] as const).entries()) {
    for (let i = 0; i < (wanted[section] ?? 0); i++) {
      const head = skipName(bytes, at)
      // What was cut off may end in the middle of a record.
      if (head === null || head + 10 > bytes.length) return truncated ? response() : null
      const type = view.getUint16(head)
      const dataLength = view.getUint16(head + 8)
      const dataAt = head + 10
      if (dataAt + dataLength > bytes.length) return truncated ? response() : null
      // Between two servers only; what comes after it is optional too.
      if (type === TYPE.OPT) return response()
      records.push({ section: name, start: at, type, ttl: view.getUint32(head + 4), ttlAt: head + 4, dataAt, dataLength })
      counts[section as 0 | 1 | 2]++
      at = dataAt + dataLength
    }
  }
  return response()

  function response(): Response {
    return { bytes, rcode: flags & 0xf, truncated, records, end: at, counts }
  }
}

/** Type and class are bytes like the rest: letters among them would be compared alike in both. */
function sameQuestion(a: Uint8Array, b: Uint8Array): boolean {
  const lower = (byte: number) => (byte >= 0x41 && byte <= 0x5a ? byte + 0x20 : byte)
  const name = b.length - 4
  return b.every((byte, i) => (i < name ? lower(byte) === lower(a[i] ?? -1) : byte === a[i]))
}

/** Types of RFC 1035 and its neighbours whose data may hold compressed names: not to be copied out of their message. */
const COMPRESSED: ReadonlySet<number> = new Set([2, 3, 4, 5, 6, 7, 8, 9, 12, 14, 15, 17, 18, 21, 24, 26, 30, 33, 35])

/** The answer's records that can stand in another message, by which an alias of ours leads on. */
export function portableAnswers({ bytes, records }: Response): DnsRecord[] {
  return records.flatMap(({ section, start, type, ttl, dataAt, dataLength }): DnsRecord[] => {
    const owner = section === 'answer' ? readName(bytes, start) : null
    if (!owner) return []
    const { name } = owner
    if (!COMPRESSED.has(type)) return [{ name, type, ttl, data: bytes.slice(dataAt, dataAt + dataLength) }]
    const target = type === TYPE.CNAME ? readName(bytes, dataAt) : null
    return target ? [{ name, type, ttl, data: new Uint8Array(), target: target.name }] : []
  })
}

/** The record that says for how long there is nothing (RFC 2308), for another message; null if there is none. */
export function portableSoa({ bytes, records }: Response): DnsRecord | null {
  const soa = records.find(({ section, type }) => section === 'authority' && type === TYPE.SOA)
  const owner = soa && readName(bytes, soa.start)
  const primary = soa && readName(bytes, soa.dataAt)
  const contact = primary && readName(bytes, primary.end)
  if (!soa || !owner || !contact || contact.end + 20 !== soa.dataAt + soa.dataLength) return null
  const names = [encodeName(primary.name), encodeName(contact.name)] as const
  const data = Uint8Array.of(...names[0], ...names[1], ...bytes.subarray(contact.end, contact.end + 20))
  return { name: owner.name, type: TYPE.SOA, ttl: soa.ttl, data }
}

/** Seconds for which an answer that says "no" may be remembered (RFC 2308); null if it does not say. */
export function negativeTtl({ bytes, records }: Response): number | null {
  const soa = records.find(({ section, type }) => section === 'authority' && type === TYPE.SOA)
  if (!soa || soa.dataLength < 20) return null
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength)
  return Math.min(soa.ttl, view.getUint32(soa.dataAt + soa.dataLength - 4))
}
