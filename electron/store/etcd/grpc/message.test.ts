import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { MAX_MESSAGE, MessageReader, prefixed } from './message.ts'
import { GrpcError } from './status.ts'

describe('a reader of messages', () => {
  it('gives the same messages however the body is cut', () => {
    const body = fc.array(fc.uint8Array({ maxLength: 40 }), { maxLength: 8 })
    fc.assert(
      fc.property(body, fc.array(fc.integer({ min: 1, max: 30 }), { minLength: 1 }), (messages, cuts) => {
        const bytes = Buffer.concat(messages.map((message) => prefixed(message)))
        const reader = new MessageReader()
        const read: number[][] = []
        for (let at = 0, i = 0; at < bytes.length; i++) {
          const size = cuts[i % cuts.length] as number
          // The reader must not count on a piece once it has returned.
          const piece = Buffer.from(bytes.subarray(at, at + size))
          for (const message of reader.push(piece)) read.push([...message])
          piece.fill(0xff)
          at += size
        }
        expect(read).toEqual(messages.map((message) => [...message]))
        expect(reader.waiting).toBe(0)
      }),
      { seed: 20260105 },
    )
  })

  it('says how much waits for the rest of its message', () => {
    const reader = new MessageReader()
    expect(reader.push(prefixed(Buffer.alloc(100)).subarray(0, 50))).toEqual([])
    expect(reader.waiting).toBe(50)
  })

  it('refuses a message that is too large as soon as it says so, and a compressed one', () => {
    const prefix = Buffer.alloc(5)
    prefix.writeUInt32BE(MAX_MESSAGE + 1, 1)
    expect(() => new MessageReader().push(prefix)).toThrow(GrpcError)
    expect(() => new MessageReader().push(Buffer.from([1, 0, 0, 0, 0]))).toThrow('compressed')
  })
})
