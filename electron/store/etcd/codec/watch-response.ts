import type { StoreEvent } from '../../store.ts'
import type { HeaderCodec } from './header.ts'
import { messageSize, sizeOfKeyValue, writeKeyValue } from './key-value.ts'
import { bytesFieldSize, int64FieldSize, intFieldSize, WireWriter } from './writer.ts'

/** What etcdserverpb.WatchResponse says beside its header and events. */
export interface WatchNotice {
  readonly watchId: number
  readonly created?: boolean
  readonly canceled?: boolean
  readonly compactRevision?: number
  readonly cancelReason?: string
  /** More of the same revision is to come. */
  readonly fragment?: boolean
}

const DELETE = 1

/** mvccpb.Event. */
export function eventBytes({ type, kv, prevKv }: StoreEvent): Buffer {
  const size = sizeOfKeyValue(kv)
  const prevSize = prevKv ? sizeOfKeyValue(prevKv) : 0
  const bytes = Buffer.allocUnsafe((type === 'delete' ? 2 : 0) + messageSize(size) + (prevKv ? messageSize(prevSize) : 0))
  const writer = new WireWriter(bytes, 0)
  if (type === 'delete') writer.int(1, DELETE)
  writer.message(2, size)
  writeKeyValue(writer, kv)
  if (prevKv) {
    writer.message(3, prevSize)
    writeKeyValue(writer, prevKv)
  }
  return bytes
}

/** A prefixed WatchResponse. */
export function watchMessage(headers: HeaderCodec, revision: number, notice: WatchNotice, events: readonly Buffer[] = []): Buffer {
  const id = BigInt(notice.watchId)
  const compactRevision = notice.compactRevision ?? 0
  const reason = Buffer.from(notice.cancelReason ?? '', 'utf8')
  const flags = [notice.created, notice.canceled, notice.fragment].filter(Boolean).length
  let size = int64FieldSize(id) + 2 * flags + intFieldSize(compactRevision) + bytesFieldSize(reason.length)
  for (const event of events) size += messageSize(event.length)
  const { message, writer } = headers.begin(revision, size)
  writer.int64(2, id)
  writer.bool(3, notice.created ?? false)
  writer.bool(4, notice.canceled ?? false)
  writer.int(5, compactRevision)
  writer.bytes(6, reason)
  writer.bool(7, notice.fragment ?? false)
  for (const event of events) {
    writer.message(11, event.length)
    writer.raw(event)
  }
  return message
}
