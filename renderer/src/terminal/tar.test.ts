import { expect, it } from 'vitest'
import { onlyFile, tarEnd, tarHeader, tarPadding } from './tar.ts'

it('a header is one that tar reads: its sum is right', () => {
  const header = tarHeader('notes.txt', 1234, 1_700_000_000)
  const text = new TextDecoder().decode(header)
  expect(text.slice(0, 9)).toBe('notes.txt')
  expect(text.slice(124, 135)).toBe('00000002322')
  const stored = Number.parseInt(text.slice(148, 154), 8)
  const sum = header.reduce((total, byte, at) => total + (at >= 148 && at < 156 ? 32 : byte), 0)
  expect(stored).toBe(sum)
})

it('refuses what it cannot say', () => {
  expect(() => tarHeader('x'.repeat(101), 1, 0)).toThrow(/longer/)
  expect(() => tarHeader('x', 8 ** 11, 0)).toThrow(/8 GiB/)
})

it('finds the only file of an archive, and none where there are more', () => {
  const header = tarHeader('a.log', 700, 0)
  const total = header.length + 700 + tarPadding(700).length + tarEnd().length
  expect(onlyFile(header, total)).toEqual({ name: 'a.log', size: 700, at: 512 })
  expect(onlyFile(header, total + 100_000)).toBeNull()
  expect(onlyFile(new Uint8Array(512), total)).toBeNull()
})
