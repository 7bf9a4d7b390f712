import type { KeyValue } from '../../store.ts'
import { bytesFieldSize, int64FieldSize, intFieldSize, varintSize, type WireWriter } from './writer.ts'

/** Of a field that holds a message of so many bytes, even of none. */
export function messageSize(length: number): number {
  return 1 + varintSize(length) + length
}

/** mvccpb.KeyValue. */
export function sizeOfKeyValue(kv: KeyValue): number {
  return (
    bytesFieldSize(kv.key.length) +
    intFieldSize(kv.createRevision) +
    intFieldSize(kv.modRevision) +
    intFieldSize(kv.version) +
    bytesFieldSize(kv.value.length) +
    int64FieldSize(kv.lease)
  )
}

export function writeKeyValue(writer: WireWriter, kv: KeyValue): void {
  writer.key(1, kv.key)
  writer.int(2, kv.createRevision)
  writer.int(3, kv.modRevision)
  writer.int(4, kv.version)
  writer.bytes(5, kv.value)
  writer.int64(6, kv.lease)
}
