import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { normalizeBase64 } from './base64-text.ts'

fc.configureGlobal({ seed: 1 })

describe('normalizeBase64', () => {
  it('leaves what is canonical, and drops line breaks', () => {
    fc.assert(
      fc.property(fc.uint8Array(), fc.nat(), (bytes, at) => {
        const text = Buffer.from(bytes).toString('base64')
        expect(normalizeBase64(text)).toBe(text)
        const cut = at % (text.length + 1)
        expect(normalizeBase64(`${text.slice(0, cut)}\r\n${text.slice(cut)}\n`)).toBe(text)
      }),
    )
  })

  it('clears bits that stand for nothing', () => {
    expect(normalizeBase64('aG==')).toBe('aA==')
  })

  it.each([
    ['a', 0],
    ['aG', 0],
    ['aGk', 0],
    ['aGk=aGk=', 4],
    ['aGk==', 4],
    ['a===', 1],
    ['aG=a', 3],
    ['aG=', 3],
    ['aG?=', 2],
    ['aGkx aG', 4],
    ['a-_b', 1],
  ])('refuses %j at the byte where Go does', (text, at) => {
    expect(() => normalizeBase64(text)).toThrow(`illegal base64 data at input byte ${at}`)
  })
})
