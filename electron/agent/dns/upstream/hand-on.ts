/** Another server's answer, made into one to a client's question. What is not understood stays as it is, byte for byte. */
import { optRecord } from '../wire/answer.ts'
import { FLAG, HEADER, TYPE } from '../wire/constants.ts'
import type { Query } from '../wire/query.ts'
import type { Response, ResponseRecord } from '../wire/response.ts'
import type { CachedAnswer } from './answer-cache.ts'

const OPT_SIZE = 11

/** Records that do not fit into `limit` bytes are left out, and the answer is then marked as truncated. `start` in [0, 1) turns addresses. */
export function handOn({ response, age }: CachedAnswer, query: Query, limit: number, start: number): Uint8Array {
  const { records, counts } = response
  const room = limit - (query.edns ? OPT_SIZE : 0)
  const endOf = (index: number) => records[index + 1]?.start ?? response.end
  let fitting = records.length
  while (fitting > 0 && endOf(fitting - 1) > room) fitting--
  const needed = counts[0] + counts[1]
  const truncated = response.truncated || fitting < needed
  const end = fitting > 0 ? endOf(fitting - 1) : HEADER + query.question.length

  const out = new Uint8Array(end + (query.edns ? OPT_SIZE : 0))
  out.set(response.bytes.subarray(0, end))
  out.set(query.question, HEADER)
  const view = new DataView(out.buffer)
  const kept = records.slice(0, fitting)
  view.setUint16(0, query.id)
  view.setUint16(2, flagsOf(response, query, truncated))
  const left = [Math.min(counts[0], fitting), Math.max(0, Math.min(counts[1], fitting - counts[0])), Math.max(0, fitting - needed)] as const
  view.setUint16(6, left[0])
  view.setUint16(8, left[1])
  view.setUint16(10, left[2] + (query.edns ? 1 : 0))
  for (const { ttl, ttlAt } of kept) view.setUint32(ttlAt, Math.max(0, ttl - age))
  for (const type of [TYPE.A, TYPE.AAAA])
    turn(
      out,
      kept.filter((record) => record.section === 'answer' && record.type === type),
      start,
    )
  if (query.edns) out.set(optRecord(query.edns.dnssecOk, 0), end)
  return out
}

function flagsOf({ bytes, rcode }: Response, query: Query, truncated: boolean): number {
  const verified = query.flags & FLAG.AD || query.edns?.dnssecOk ? new DataView(bytes.buffer, bytes.byteOffset).getUint16(2) & FLAG.AD : 0
  return FLAG.QR | (query.flags & (FLAG.RD | FLAG.CD)) | FLAG.RA | verified | (truncated ? FLAG.TC : 0) | rcode
}

/** Each address takes the place of one some steps further on. They are all of one name, the last of a chain of aliases. */
function turn(message: Uint8Array, records: readonly ResponseRecord[], start: number): void {
  if (records.length < 2) return
  const offset = Math.floor(start * records.length)
  const data = records.map(({ dataAt, dataLength }) => message.slice(dataAt, dataAt + dataLength))
  for (const [i, { dataAt, dataLength }] of records.entries()) {
    const other = data[(i + offset) % data.length]
    if (other?.length === dataLength) message.set(other, dataAt)
  }
}
