import { crc32 } from 'node:zlib'
import type { Key, KeyRange, KeyValue, RangeRequest, RangeResponse, StoreEvent } from '../../../electron/store/store.ts'

/** All keys that exist at one revision, in order. */
export type State = ReadonlyMap<Key, KeyValue>

export const EMPTY: State = new Map()
const NOTHING = new Uint8Array(0)

export function covers({ key, end }: KeyRange, wanted: Key): boolean {
  if (end === undefined || end === '') return wanted === key
  return wanted >= key && (end === '\0' || wanted < end)
}

export function within(state: State, range: KeyRange): KeyValue[] {
  if (range.end === undefined || range.end === '') {
    const kv = state.get(range.key)
    return kv ? [kv] : []
  }
  return [...state.values()].filter(({ key }) => covers(range, key))
}

export function after(state: State, events: readonly StoreEvent[]): State {
  const next = new Map(state)
  let grown = false
  for (const { type, kv } of events) {
    if (type === 'delete') next.delete(kv.key)
    else {
      grown ||= !next.has(kv.key)
      next.set(kv.key, kv)
    }
  }
  return grown ? new Map([...next].sort(([a], [b]) => (a < b ? -1 : 1))) : next
}

/** What a range request must be answered in a store whose newest revision is `newest`. */
export function answerRange(state: State, request: RangeRequest, newest: number): RangeResponse {
  const all = within(state, request)
  const sorted = request.sort ? all.toSorted((a, b) => b.modRevision - a.modRevision || (a.key < b.key ? -1 : 1)) : all
  const limit = request.limit || Number.POSITIVE_INFINITY
  const kvs = request.countOnly ? [] : sorted.slice(0, limit)
  return {
    revision: newest,
    kvs: request.keysOnly ? kvs.map((kv) => ({ ...kv, value: NOTHING })) : kvs,
    count: all.length,
    more: !request.countOnly && all.length > limit,
  }
}

/** How many bytes of a long value are shown. */
const SHOWN = 24

/** As text that is equal for what is equal; bytes as Latin-1, and of long ones the beginning with length and checksum. */
export function canonical(value: unknown): string {
  if (typeof value === 'bigint') return `"${value}n"`
  if (value instanceof Uint8Array) {
    if (value.byteLength <= 2 * SHOWN) return JSON.stringify(latin1(value))
    return JSON.stringify(`${latin1(value.subarray(0, SHOWN))}… ${value.byteLength} bytes ${crc32(value).toString(16)}`)
  }
  if (Array.isArray(value)) return `[${value.map(canonical).join()}]`
  if (value instanceof Map) return canonical([...(value as Map<unknown, unknown>)])
  if (typeof value !== 'object' || value === null) return JSON.stringify(value) ?? 'null'
  const fields = Object.entries(value).filter(([, item]) => item !== undefined)
  return `{${fields
    .sort(([a], [b]) => (a < b ? -1 : 1))
    .map(([name, item]) => `${JSON.stringify(name)}:${canonical(item)}`)
    .join()}}`
}

function latin1(bytes: Uint8Array): string {
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).toString('latin1')
}
