import { describe, expect, it } from 'vitest'
import { seededRandom } from '../../../electron/base/random.ts'
import { DiskImage } from './disk-image.ts'
import type { JournalRecord } from './journal.ts'

const write = (offset: number, text: string, name = 'a'): JournalRecord => ({ type: 'write', name, offset, data: Buffer.from(text) })
const create = (name = 'a'): JournalRecord => ({ type: 'create', name })
const sync = (name = 'a'): JournalRecord => ({ type: 'sync', name })
const syncFolder: JournalRecord = { type: 'syncFolder' }

/** What a loss of power leaves after these records, for many seeds; each outcome once, in order. */
function outcomes(records: readonly JournalRecord[], name = 'a'): (string | undefined)[] {
  const all = Array.from({ length: 200 }, (_, seed) => {
    const image = new DiskImage(seededRandom(seed))
    for (const record of records) image.apply(record)
    return image.losePower().get(name)?.toString('latin1')
  })
  return [...new Set(all)].sort((a, b) => ((a ?? '~') < (b ?? '~') ? -1 : 1))
}

describe('a disk that loses power', () => {
  it('keeps what was flushed, once the folder was too', () => {
    expect(outcomes([create(), write(0, 'safe'), sync(), syncFolder])).toEqual(['safe'])
  })

  it('may lose or keep what was written since', () => {
    expect(outcomes([create(), syncFolder, write(0, 'old!'), sync(), write(0, 'new!')])).toEqual(['new!', 'old!'])
    expect(outcomes([create(), syncFolder, write(0, 'long'), sync(), { type: 'truncate', name: 'a', size: 2 }])).toContain('lo')
  })

  it('may keep a later write without an earlier one', () => {
    expect(outcomes([create(), syncFolder, write(0, 'one'), write(3, 'two')])).toEqual(['', '\0\0\0two', 'one', 'onetwo'])
  })

  it('may keep some sectors of a write, each of them whole', () => {
    const old = 'o'.repeat(1024)
    const found = outcomes([create(), syncFolder, write(0, old), sync(), write(0, 'n'.repeat(1024))]) as string[]
    expect(found).toHaveLength(4)
    for (const content of found) expect([content.slice(0, 512), content.slice(512)].every((sector) => /^(o+|n+)$/.test(sector))).toBe(true)
  })

  it('may lose a file that was made, or keep one that was removed, until the folder is flushed', () => {
    expect(outcomes([create(), write(0, 'x'), sync()])).toEqual(['x', undefined])
    const removed: JournalRecord = { type: 'unlink', name: 'a' }
    expect(outcomes([create(), write(0, 'x'), sync(), syncFolder, removed])).toEqual(['x', undefined])
    expect(outcomes([create(), write(0, 'x'), sync(), removed, syncFolder])).toEqual([undefined])
  })

  it('never tries again to write what a failed flush has lost', () => {
    const records: JournalRecord[] = [create(), syncFolder, write(0, 'x'), { type: 'syncFailed', name: 'a' }, write(1, 'y'), sync()]
    expect(outcomes(records)).toEqual(['\0y', 'xy'])
  })
})
