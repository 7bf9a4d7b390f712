import { HpackError } from './hpack-error.ts'

/**
 * HPACK's Huffman code (RFC 7541, Appendix B). It is canonical: codes are given out by length, and among symbols of one length in
 * their order. So the symbols of each length say all of it, written here as byte ranges "first-last".
 */
const SYMBOLS: readonly (readonly [bits: number, symbols: string])[] = [
  [5, '48-50 97 99 101 105 111 115-116'],
  [6, '32 37 45-47 51-57 61 65 95 98 100 102-104 108-110 112 114 117'],
  [7, '58 66-87 89 106-107 113 118-122'],
  [8, '38 42 44 59 88 90'],
  [10, '33-34 40-41 63'],
  [11, '39 43 124'],
  [12, '35 62'],
  [13, '0 36 64 91 93 126'],
  [14, '94 125'],
  [15, '60 96 123'],
  [19, '92 195 208'],
  [20, '128 130-131 162 184 194 224 226'],
  [21, '153 161 167 172 176-177 179 209 216-217 227 229-230'],
  [22, '129 132-134 136 146 154 156 160 163-164 169-170 173 178 181 185-187 189-190 196 198 228 232-233'],
  [23, '1 135 137-141 143 147 149-152 155 157-158 165-166 168 174-175 180 182-183 188 191 197 231 239'],
  [24, '9 142 144-145 148 159 171 206 215 225 236-237'],
  [25, '199 207 234-235'],
  [26, '192-193 200-202 205 210 213 218-219 238 240 242-243 255'],
  [27, '203-204 211-212 214 221-223 241 244-248 250-254'],
  [28, '2-8 11-12 14-21 23-31 127 220 249'],
  [30, '10 13 22 256'],
]
/** No code: it must not appear in a string. */
const END_OF_STRING = 256

/** A binary tree: for node n, children at 2n and 2n + 1; a child below 0 is the symbol ~child, 0 is none. */
const TREE: Int32Array = plant()

function plant(): Int32Array {
  const tree = new Int32Array(2 * 512)
  let nodes = 1
  let code = 0
  let length = 0
  for (const [bits, ranges] of SYMBOLS) {
    for (const range of ranges.split(' ')) {
      const [first = 0, last = first] = range.split('-').map(Number)
      for (let symbol = first; symbol <= last; symbol++) {
        code *= 2 ** (bits - length)
        length = bits
        let node = 0
        for (let bit = bits - 1; bit > 0; bit--) {
          const child = 2 * node + ((code >>> bit) & 1)
          if (tree[child] === 0) tree[child] = nodes++
          node = tree[child] as number
        }
        tree[2 * node + (code & 1)] = ~symbol
        code++
      }
    }
  }
  return tree
}

/** Throws HpackError for a code that does not exist and for padding that is not the beginning of the end-of-string code. */
export function decodeHuffman(bytes: Uint8Array, start: number, end: number): string {
  let text = ''
  let node = 0
  let depth = 0
  let ones = true
  for (let i = start; i < end; i++) {
    const byte = bytes[i] as number
    for (let shift = 7; shift >= 0; shift--) {
      const bit = (byte >>> shift) & 1
      const next = TREE[2 * node + bit] as number
      if (next > 0) {
        node = next
        depth++
        ones &&= bit === 1
        continue
      }
      const symbol = ~next
      if (next === 0 || symbol === END_OF_STRING) throw new HpackError('a Huffman code that stands for nothing')
      text += String.fromCharCode(symbol)
      node = 0
      depth = 0
      ones = true
    }
  }
  if (depth > 7 || !ones) throw new HpackError('a Huffman code is cut off')
  return text
}
