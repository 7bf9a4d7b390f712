import { describe, expect, it } from 'vitest'
import { base64FromBytes, base64FromText, base64Length, bytesFromBase64 } from './base64.ts'

describe('base64', () => {
  it('carries any bytes there and back', () => {
    const bytes = Uint8Array.from({ length: 70_000 }, (_, i) => i % 256)
    const text = base64FromBytes(bytes)
    expect(text).toBe(Buffer.from(bytes).toString('base64'))
    expect(bytesFromBase64(text)).toEqual(bytes)
    expect(base64Length(text)).toBe(70_000)
  })

  it('encodes text as UTF-8', () => {
    expect(base64FromText('é')).toBe('w6k=')
    expect([base64Length(''), base64Length('YQ=='), base64Length('YWI=')]).toEqual([0, 1, 2])
  })
})
