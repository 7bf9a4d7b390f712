import { spawnSync } from 'node:child_process'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import type { MemoryUse } from './memory-process.ts'

const MIB = 1024 * 1024

describe('an embedded store with 100,000 objects of 3.6 KB', () => {
  it('keeps their keys in memory, and their values on disk', () => {
    const dir = mkdtempSync(join(tmpdir(), 'store-memory-'))
    try {
      const args = ['--expose-gc', join(import.meta.dirname, 'memory-process.ts'), dir, '100000', '3600']
      const { stdout, stderr } = spawnSync(process.execPath, args, { encoding: 'utf8' })
      expect(stderr).toBe('')
      const { keys, bytes, grown } = JSON.parse(stdout) as MemoryUse
      expect([keys, bytes]).toEqual([100_000, 360_000_000])
      expect(grown).toBeLessThan(100 * MIB)
    } finally {
      rmSync(dir, { recursive: true })
    }
  })
})
