import { mkdtemp, readdir, readFile, readlink, rm, stat } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { writeAtomicSet } from './atomic-writer.ts'
import type { FileProjection } from './atomic-writer.ts'

let dir: string
const NOW = Date.parse('2026-01-02T03:04:05.678Z')
const files = (entries: Record<string, string | [text: string, mode: number]>) =>
  new Map(
    Object.entries(entries).map(([path, value]): [string, FileProjection] => {
      const [text, mode] = typeof value === 'string' ? [value, 0o644] : value
      return [path, { data: Buffer.from(text), mode }]
    }),
  )
const visible = async () => (await readdir(dir)).filter((name) => !name.startsWith('..')).toSorted()

beforeEach(async () => {
  dir = await mkdtemp(join(tmpdir(), 'atomic-'))
})
afterEach(() => rm(dir, { recursive: true }))

describe('writeAtomicSet', () => {
  it('shows files through one link that is replaced as a whole', async () => {
    expect(await writeAtomicSet(dir, files({ a: '1', 'deep/b': ['2', 0o400] }), NOW)).toBe(true)
    expect(await visible()).toEqual(['a', 'deep'])
    expect(await readlink(join(dir, 'a'))).toBe('..data/a')
    expect(await readlink(join(dir, '..data'))).toMatch(/^\.\.2026_01_02_03_04_05\./)
    expect(await readFile(join(dir, 'deep/b'), 'utf8')).toBe('2')
    expect((await stat(join(dir, 'deep/b'))).mode & 0o777).toBe(0o400)
    const old = await readlink(join(dir, '..data'))
    expect(await writeAtomicSet(dir, files({ a: 'new', c: '3' }), NOW + 1)).toBe(true)
    expect(await visible()).toEqual(['a', 'c'])
    expect(await readFile(join(dir, 'a'), 'utf8')).toBe('new')
    expect(await readdir(dir)).not.toContain(old)
  })

  it('writes nothing where nothing changed, and repairs what somebody broke', async () => {
    await writeAtomicSet(dir, files({ a: '1' }), NOW)
    const set = await readlink(join(dir, '..data'))
    expect(await writeAtomicSet(dir, files({ a: '1' }), NOW + 1)).toBe(false)
    expect(await readlink(join(dir, '..data'))).toBe(set)
    await rm(join(dir, 'a'))
    expect(await writeAtomicSet(dir, files({ a: '1' }), NOW + 2)).toBe(true)
    expect(await visible()).toEqual(['a'])
  })

  it('keeps the old set whole when the new one cannot be finished', async () => {
    await writeAtomicSet(dir, files({ a: '1' }), NOW)
    const failing = writeAtomicSet(dir, files({ a: '2' }), NOW + 1, async () => {
      throw new Error('no such group')
    })
    await expect(failing).rejects.toThrow('no such group')
    expect(await readFile(join(dir, 'a'), 'utf8')).toBe('1')
    expect((await readdir(dir)).filter((name) => name.startsWith('..2'))).toHaveLength(1)
  })

  it('can be emptied, and takes several sets in one moment', async () => {
    await writeAtomicSet(dir, files({ a: '1' }), NOW)
    await writeAtomicSet(dir, files({ a: '2' }), NOW)
    await writeAtomicSet(dir, files({}), NOW)
    expect(await visible()).toEqual([])
    expect(await readdir(join(dir, '..data'))).toEqual([])
  })

  it.each(['/abs', 'up/../../out', '..data', ''])('refuses the path %j', async (path) => {
    await expect(writeAtomicSet(dir, files({ [path]: 'x' }), NOW)).rejects.toThrow(/invalid path/)
  })
})
