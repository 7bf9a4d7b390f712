/** What is asked of another server. */
import type { Random } from '../../../base/random.ts'
import { FLAG, HEADER } from '../wire/constants.ts'
import { optRecord } from '../wire/answer.ts'
import { encodeName } from '../wire/name.ts'
import type { Query } from '../wire/query.ts'

export interface Question {
  /** Name, type and class as they are in a message. */
  readonly bytes: Uint8Array
  /** Whether signatures are wanted with the answer. */
  readonly dnssecOk: boolean
  /** Whether the answer is wanted though its signatures may be wrong. */
  readonly checkingDisabled: boolean
  /** Whether the client knows what the AD flag says (RFC 6840, 5.7). */
  readonly authenticData: boolean
}

export const questionOf = ({ question, edns, flags }: Query): Question => ({
  bytes: question,
  dnssecOk: edns?.dnssecOk ?? false,
  checkingDisabled: (flags & FLAG.CD) !== 0,
  authenticData: (flags & FLAG.AD) !== 0,
})

/** The same for other names that a client's question leads to. */
export function questionFor(query: Query, name: string): Question {
  const host = encodeName(name)
  const bytes = new Uint8Array(host.length + 4)
  bytes.set(host)
  bytes.set(query.question.subarray(-4), host.length)
  return { ...questionOf(query), bytes }
}

/** Equal for questions that have the same answer. */
export function keyOf({ bytes, dnssecOk, checkingDisabled, authenticData }: Question): string {
  const name = Buffer.from(bytes.subarray(0, -4))
    .toString('latin1')
    .replaceAll(/[A-Z]/g, (letter) => letter.toLowerCase())
  const flags = (dnssecOk ? 4 : 0) | (checkingDisabled ? 2 : 0) | (authenticData ? 1 : 0)
  return `${flags}${Buffer.from(bytes.subarray(-4)).toString('hex')}${name}`
}

export interface UpstreamQuery {
  readonly id: number
  readonly question: Uint8Array
  readonly message: Uint8Array
}

/** With an unpredictable id. `edns` is false for servers that know nothing of it. */
export function upstreamQuery(question: Question, random: Random, edns: boolean): UpstreamQuery {
  const [high = 0, low = 0] = random.bytes(2)
  const id = (high << 8) | low
  const opt = edns ? optRecord(question.dnssecOk, 0) : new Uint8Array()
  const message = new Uint8Array(HEADER + question.bytes.length + opt.length)
  const view = new DataView(message.buffer)
  view.setUint16(0, id)
  view.setUint16(2, FLAG.RD | (question.checkingDisabled ? FLAG.CD : 0) | (question.authenticData ? FLAG.AD : 0))
  view.setUint16(4, 1)
  view.setUint16(10, edns ? 1 : 0)
  message.set(question.bytes, HEADER)
  message.set(opt, HEADER + question.bytes.length)
  return { id, question: question.bytes, message }
}
