import type { Key } from '../store.ts'

export function keyBytes(key: Key): Uint8Array {
  return Buffer.from(key, 'latin1')
}

export function keyOf(bytes: Uint8Array): Key {
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).toString('latin1')
}
