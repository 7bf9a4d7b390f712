/** Reading what clients ask. Source: RFC 1035, 4.1; RFC 6891 (EDNS0). */
import { FLAG, HEADER, TYPE } from './constants.ts'
import { readName, skipName } from './name.ts'

export interface Query {
  readonly id: number
  /** As it came. */
  readonly flags: number
  readonly opcode: number
  /** Lower case, without the final dot. */
  readonly name: string
  readonly type: number
  readonly class: number
  /** The question's bytes: the answer repeats them, with capitals where the client wrote them (draft-vixie-dnsext-dns0x20). */
  readonly question: Uint8Array
  readonly edns: Edns | null
}

export interface Edns {
  /** What the client takes over UDP, in bytes. */
  readonly udpSize: number
  readonly version: number
  readonly dnssecOk: boolean
}

export type ReadQuery =
  | { readonly kind: 'query'; readonly query: Query }
  /** To be answered with FORMERR. */
  | { readonly kind: 'malformed'; readonly id: number; readonly flags: number }
  /** An answer, or too short to tell: to be left without a word. */
  | { readonly kind: 'ignore' }

export function readQuery(message: Uint8Array): ReadQuery {
  if (message.length < HEADER) return { kind: 'ignore' }
  const view = new DataView(message.buffer, message.byteOffset, message.byteLength)
  const id = view.getUint16(0)
  const flags = view.getUint16(2)
  if (flags & FLAG.QR) return { kind: 'ignore' }
  const malformed = { kind: 'malformed', id, flags } as const
  if (view.getUint16(4) !== 1) return malformed
  const name = readName(message, HEADER)
  // A pointer in the first name of a message could only lead into the header.
  if (!name || name.end !== skipName(message, HEADER) || name.end + 4 > message.length) return malformed
  const end = name.end + 4
  const edns = readEdns(message, view, end)
  if (edns === undefined) return malformed
  const query: Query = {
    id,
    flags,
    opcode: (flags >> 11) & 0xf,
    name: name.name,
    type: view.getUint16(name.end),
    class: view.getUint16(name.end + 2),
    question: message.slice(HEADER, end),
    edns,
  }
  return { kind: 'query', query }
}

/** Null without one, undefined if the records cannot be read. */
function readEdns(message: Uint8Array, view: DataView, start: number): Edns | null | undefined {
  const records = view.getUint16(6) + view.getUint16(8) + view.getUint16(10)
  let found: Edns | null = null
  let at = start
  for (let i = 0; i < records; i++) {
    const end = skipName(message, at)
    if (end === null || end + 10 > message.length) return undefined
    if (view.getUint16(end) === TYPE.OPT) {
      if (found) return undefined
      found = { udpSize: view.getUint16(end + 2), version: view.getUint8(end + 5), dnssecOk: (view.getUint16(end + 6) & 0x8000) !== 0 }
    }
    at = end + 10 + view.getUint16(end + 8)
    if (at > message.length) return undefined
  }
  return found
}
