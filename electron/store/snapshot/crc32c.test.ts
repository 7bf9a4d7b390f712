import { describe, expect, it } from 'vitest'
import { seededRandom } from '../../base/random.ts'
import { crc32c } from './crc32c.ts'

describe('crc32c', () => {
  it.each([
    ['32 bytes of zeros', Buffer.alloc(32), 0x8a9136aa],
    ['32 bytes of ones', Buffer.alloc(32, 0xff), 0x62a8ab43],
    ['32 bytes that count up', Buffer.from(Array.from({ length: 32 }, (_, i) => i)), 0x46dd794e],
    ['the digits', Buffer.from('123456789'), 0xe3069283],
    ['nothing', Buffer.alloc(0), 0],
  ])('gives the known sum of %s', (_what, bytes, sum) => {
    expect(crc32c(bytes)).toBe(sum)
  })

  it('goes on where it was, wherever the bytes were cut', () => {
    const bytes = seededRandom(1).bytes(100)
    for (let cut = 0; cut <= 100; cut++) expect(crc32c(bytes.subarray(cut), crc32c(bytes.subarray(0, cut)))).toBe(crc32c(bytes))
  })
})
