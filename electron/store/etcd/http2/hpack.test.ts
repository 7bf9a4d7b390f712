import { describe, expect, it } from 'vitest'
import { encodeHeaders, HpackDecoder } from './hpack.ts'
import { HpackError } from './hpack-error.ts'

const hex = (text: string) => Buffer.from(text.replaceAll(' ', ''), 'hex')
const plain = (decoder: HpackDecoder, block: Buffer) => decoder.decode(block)?.map(({ name, value }) => `${name}: ${value}`)
const decoder = () => new HpackDecoder(4096)

describe('HPACK', () => {
  it('reads the requests of RFC 7541, C.3, whose later ones go by what the earlier ones said', () => {
    const table = decoder()
    expect(plain(table, hex('8286 8441 0f77 7777 2e65 7861 6d70 6c65 2e63 6f6d'))).toEqual([
      ':method: GET',
      ':scheme: http',
      ':path: /',
      ':authority: www.example.com',
    ])
    expect(plain(table, hex('8286 84be 5808 6e6f 2d63 6163 6865'))?.slice(3)).toEqual([
      ':authority: www.example.com',
      'cache-control: no-cache',
    ])
    expect(plain(table, hex('8287 85bf 400a 6375 7374 6f6d 2d6b 6579 0c63 7573 746f 6d2d 7661 6c75 65'))).toEqual([
      ':method: GET',
      ':scheme: https',
      ':path: /index.html',
      ':authority: www.example.com',
      'custom-key: custom-value',
    ])
  })

  it('reads the same with Huffman codes, C.4', () => {
    const table = decoder()
    expect(plain(table, hex('8286 8441 8cf1 e3c2 e5f2 3a6b a0ab 90f4 ff'))?.[3]).toBe(':authority: www.example.com')
    expect(plain(table, hex('8286 84be 5886 a8eb 1064 9cbf'))?.[4]).toBe('cache-control: no-cache')
    expect(plain(table, hex('8287 85bf 4088 25a8 49e9 5ba9 7d7f 8925 a849 e95b b8e8 b4bf'))?.[4]).toBe('custom-key: custom-value')
  })

  it('forgets the oldest when the table is full, C.5 with its table of 256 bytes', () => {
    const table = decoder()
    const first = hex(
      '3fe101 4803 3330 3258 0770 7269 7661 7465 611d 4d6f 6e2c 2032 3120 4f63 7420 3230 3133 2032 303a 3133 3a32 3120 474d 54' +
        '6e17 6874 7470 733a 2f2f 7777 772e 6578 616d 706c 652e 636f 6d',
    )
    expect(plain(table, first)?.[0]).toBe(':status: 302')
    expect(plain(table, hex('4803 3330 37c1 c0bf'))).toEqual([
      ':status: 307',
      'cache-control: private',
      'date: Mon, 21 Oct 2013 20:13:21 GMT',
      'location: https://www.example.com',
    ])
    // ":status: 302" made room for ":status: 307": there are four entries, not five.
    expect(() => table.decode(hex('c2'))).toThrow(HpackError)
  })

  it('reads what it writes, however long', () => {
    const fields = [':status', 'grpc-message', 'x'].map((name, i) => [name, 'v'.repeat([0, 126, 1000][i] as number)] as const)
    expect(decoder().decode(encodeHeaders(fields))).toEqual(fields.map(([name, value]) => ({ name, value })))
  })

  it('reads all of a block that is too large, so that the table stays right', () => {
    const table = new HpackDecoder(100)
    expect(table.decode(Buffer.concat([hex('4001 6101 62'), encodeHeaders([['long', 'x'.repeat(200)]])]))).toBe(null)
    expect(plain(table, hex('be'))).toEqual(['a: b'])
  })

  it('refuses what is no header block', () => {
    const wrong = {
      'an index of nothing': '80',
      'an index beyond the table': 'be',
      'a string that is cut off': '4003 6162',
      'a number without end': '7fff ffff ffff ff',
      'a table larger than allowed': '3fe2 1f',
      'a resize in the middle': '82 20',
      'Huffman padding of zeros': '4001 61 81 00',
      'Huffman padding of a whole byte': '4001 61 82 1fff',
      'the end-of-string code': '4001 61 84 ffff fffc',
    }
    for (const [what, block] of Object.entries(wrong)) expect(() => decoder().decode(hex(block)), what).toThrow(HpackError)
  })
})
