import { describe, expect, it } from 'vitest'
import { keyBytes, keyOf } from './keys.ts'

describe('keys', () => {
  it('are the same bytes there and back', () => {
    const key = String.fromCharCode(...Array.from({ length: 256 }, (_, i) => i))
    expect(keyOf(keyBytes(key))).toBe(key)
    expect([...keyBytes('\xff\0')]).toEqual([255, 0])
  })
})
