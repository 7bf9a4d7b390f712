/** What the library in `faulty-disk.c` writes down, in its order. */
export type JournalRecord =
  | { readonly type: 'create' | 'sync' | 'syncFailed' | 'unlink'; readonly name: string }
  | { readonly type: 'write'; readonly name: string; readonly offset: number; readonly data: Buffer }
  | { readonly type: 'truncate'; readonly name: string; readonly size: number }
  | { readonly type: 'syncFolder' }

const HEADER = 16
const TYPES = ['', 'create', 'write', 'truncate', 'sync', 'syncFailed', 'unlink', 'syncFolder'] as const

/** A record that was cut off at the end stands for nothing. */
export function readJournal(bytes: Buffer): JournalRecord[] {
  const records: JournalRecord[] = []
  for (let at = 0; at + HEADER <= bytes.length;) {
    const type = TYPES[bytes.readUInt8(at)]
    const nameEnd = at + HEADER + bytes.readUInt16LE(at + 2)
    const end = nameEnd + bytes.readUInt32LE(at + 4)
    const offset = Number(bytes.readBigUInt64LE(at + 8))
    if (end > bytes.length) break
    const name = bytes.toString('utf8', at + HEADER, nameEnd)
    switch (type) {
      case 'write':
        records.push({ type, name, offset, data: bytes.subarray(nameEnd, end) })
        break
      case 'truncate':
        records.push({ type, name, size: offset })
        break
      case 'syncFolder':
        records.push({ type })
        break
      case 'create':
      case 'sync':
      case 'syncFailed':
      case 'unlink':
        records.push({ type, name })
        break
      default:
        throw new Error(`the journal has a record of an unknown type at ${at}`)
    }
    at = end
  }
  return records
}
