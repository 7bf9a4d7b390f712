/** Messages as others write and read them. */
import { decode, encode, type DecodedPacket, type Packet } from 'dns-packet'
import { readQuery, type Query } from '../wire/query.ts'

export interface AskOptions {
  readonly id?: number
  readonly class?: string
  /** Bytes that the client takes over UDP; absent: no EDNS. */
  readonly udpSize?: number
  readonly dnssecOk?: boolean
  readonly flags?: number
}

const RECURSION_DESIRED = 0x0100

export function ask(
  name: string,
  type = 'A',
  { id = 4711, class: asked, udpSize, dnssecOk = false, flags = RECURSION_DESIRED }: AskOptions = {},
): Buffer {
  const opt = { name: '.', type: 'OPT', udpPayloadSize: udpSize ?? 0, extendedRcode: 0, ednsVersion: 0, flags: dnssecOk ? 0x8000 : 0 }
  return encode({
    ...{ id, type: 'query', flags },
    questions: [{ name, type, ...(asked === undefined ? {} : { class: asked }) }],
    additionals: udpSize === undefined ? [] : [opt],
  })
}

export function query(name: string, type = 'A', options: AskOptions = {}): Query {
  const read = readQuery(ask(name, type, options))
  if (read.kind !== 'query') throw new Error(`${name} is no question: ${read.kind}`)
  return read.query
}

/** An answer as a name server gives it. */
export function reply(to: Uint8Array, packet: Packet = {}, rcode = 0): Buffer {
  const { id, questions } = decode(Buffer.from(to))
  return encode({ id, type: 'response', questions, ...packet, flags: (packet.flags ?? 0x8180) | rcode })
}

export const read = (bytes: Uint8Array | null): DecodedPacket => {
  if (!bytes) throw new Error('there was no answer')
  return decode(Buffer.from(bytes))
}

/** "name type data" of each record, sorted. */
export function lines(records: DecodedPacket['answers']): string[] {
  return records.map(({ name, type, data }) => `${name} ${type} ${typeof data === 'string' ? data : JSON.stringify(data)}`).toSorted()
}
