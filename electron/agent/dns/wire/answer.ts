/** Writing answers, with the compression of names that RFC 1035, 4.1.4 describes. */
import { CLASS, FLAG, HEADER, PLAIN_UDP, SAFE_UDP, TYPE, type Rcode } from './constants.ts'
import { labelsOf } from './name.ts'
import type { Query } from './query.ts'
import type { DnsRecord } from './record.ts'

export interface Answer {
  readonly rcode: Rcode
  /** Whether this server itself is the source. */
  readonly authoritative: boolean
  readonly answers: readonly DnsRecord[]
  readonly authority?: readonly DnsRecord[]
  readonly additional?: readonly DnsRecord[]
}

const OPT_SIZE = 11
const MOST_TCP = 65_535

/** The most bytes that this client takes. */
export function sizeLimit({ edns }: Query, protocol: 'udp' | 'tcp'): number {
  if (protocol === 'tcp') return MOST_TCP
  return edns ? Math.min(Math.max(edns.udpSize, PLAIN_UDP), SAFE_UDP) : PLAIN_UDP
}

/** What does not fit is left out and the answer marked as truncated: clients that know TCP ask again, others use what there is. */
export function writeAnswer(query: Query, answer: Answer, limit: number): Uint8Array {
  const writer = new Writer(query, limit - (query.edns ? OPT_SIZE : 0))
  let truncated = false
  const counts = [answer.answers, answer.authority ?? []].map((records) => {
    let count = 0
    for (const record of records) {
      if (truncated || !writer.add(record)) truncated = true
      else count++
    }
    return count
  })
  let additional = 0
  for (const record of truncated ? [] : (answer.additional ?? [])) if (writer.add(record)) additional++
  if (query.edns) {
    writer.addOpt(query.edns.dnssecOk, answer.rcode)
    additional++
  }
  const flags = answerFlags(query.flags, answer.rcode) | (answer.authoritative ? FLAG.AA : 0) | (truncated ? FLAG.TC : 0)
  return writer.finish(flags, [counts[0] ?? 0, counts[1] ?? 0, additional])
}

/** Only a header and the question: for refusals of what could not be read further. */
export function writeRefusal(id: number, flags: number, rcode: Rcode): Uint8Array {
  const out = new Uint8Array(HEADER)
  const view = new DataView(out.buffer)
  view.setUint16(0, id)
  view.setUint16(2, answerFlags(flags, rcode))
  return out
}

function answerFlags(asked: number, rcode: number): number {
  const opcode = asked & 0x7800
  return FLAG.QR | opcode | (asked & (FLAG.RD | FLAG.CD)) | FLAG.RA | (rcode & 0xf)
}

/** The pseudo-record that says what this server takes, and the upper bits of the code. */
export function optRecord(dnssecOk: boolean, rcode: number): Uint8Array {
  const out = new Uint8Array(OPT_SIZE)
  const view = new DataView(out.buffer)
  view.setUint16(1, TYPE.OPT)
  view.setUint16(3, SAFE_UDP)
  view.setUint8(5, rcode >> 4)
  view.setUint16(7, dnssecOk ? 0x8000 : 0)
  return out
}

class Writer {
  #bytes: Uint8Array
  #at: number
  readonly #limit: number
  readonly #query: Query
  /** Where a name, or the end of one, already stands. */
  readonly #known = new Map<string, number>()

  constructor(query: Query, limit: number) {
    this.#query = query
    this.#limit = limit
    this.#bytes = new Uint8Array(512)
    this.#bytes.set(query.question, HEADER)
    this.#at = HEADER + query.question.length
    this.#remember(query.name, HEADER)
  }

  /** False, and nothing written, if it does not fit. */
  add({ name, type, ttl, data, target }: DnsRecord): boolean {
    const before = this.#at
    const added: string[] = []
    this.#name(name, added)
    const head = this.#at
    this.#at += 10
    this.#put(data)
    if (target !== undefined) this.#name(target, added)
    if (this.#at > this.#limit) {
      for (const suffix of added) this.#known.delete(suffix)
      this.#at = before
      return false
    }
    this.#room(0)
    const view = this.#view()
    view.setUint16(head, type)
    view.setUint16(head + 2, CLASS.IN)
    view.setUint32(head + 4, ttl)
    view.setUint16(head + 8, this.#at - head - 10)
    return true
  }

  addOpt(dnssecOk: boolean, rcode: number): void {
    this.#put(optRecord(dnssecOk, rcode))
  }

  finish(flags: number, [answers, authority, additional]: readonly [number, number, number]): Uint8Array {
    const view = this.#view()
    view.setUint16(0, this.#query.id)
    view.setUint16(2, flags)
    view.setUint16(4, 1)
    view.setUint16(6, answers)
    view.setUint16(8, authority)
    view.setUint16(10, additional)
    return this.#bytes.slice(0, this.#at)
  }

  #name(name: string, added: string[]): void {
    const labels = labelsOf(name)
    for (let i = 0; i < labels.length; i++) {
      const suffix = labels.slice(i).join('\0')
      const known = this.#known.get(suffix)
      if (known !== undefined) {
        this.#put(Uint8Array.of(0xc0 | (known >> 8), known & 0xff))
        return
      }
      if (this.#at < 0x4000) {
        this.#known.set(suffix, this.#at)
        added.push(suffix)
      }
      this.#put(Buffer.from(`\0${labels[i] ?? ''}`, 'latin1').fill((labels[i] ?? '').length, 0, 1))
    }
    this.#put(Uint8Array.of(0))
  }

  #remember(name: string, start: number): void {
    const labels = labelsOf(name)
    let at = start
    for (let i = 0; i < labels.length; i++) {
      this.#known.set(labels.slice(i).join('\0'), at)
      at += 1 + (labels[i] ?? '').length
    }
  }

  #put(data: Uint8Array): void {
    this.#room(data.length)
    this.#bytes.set(data, this.#at)
    this.#at += data.length
  }

  #room(more: number): void {
    if (this.#at + more <= this.#bytes.length) return
    const larger = new Uint8Array(Math.max(this.#bytes.length * 2, this.#at + more))
    larger.set(this.#bytes)
    this.#bytes = larger
  }

  #view(): DataView {
    return new DataView(this.#bytes.buffer)
  }
}
