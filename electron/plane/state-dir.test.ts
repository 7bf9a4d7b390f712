import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { StoreError } from '../store/store.ts'
import { isDiskError, prepareStateDir, stateError } from './state-dir.ts'

let dir: string
beforeEach(async () => {
  dir = await mkdtemp(join(tmpdir(), 'flotilla-state-'))
})
afterEach(() => rm(dir, { recursive: true, force: true }))

describe('a state folder', () => {
  it('is made where there is none, and refused where other things lie', async () => {
    await prepareStateDir(join(dir, 'new/state'))
    await writeFile(join(dir, 'letter.txt'), 'dear reader')
    await expect(prepareStateDir(dir)).rejects.toMatchObject({ code: 'STATE_UNREADABLE' })
  })

  it('on a full disk is told as that, whoever noticed', () => {
    const byStore = new StoreError('noSpace', 'no room')
    const bySystem = Object.assign(new Error('no room'), { code: 'ENOSPC' })
    for (const error of [byStore, bySystem]) {
      expect(isDiskError(error)).toBe(true)
      expect(stateError(dir, error)).toMatchObject({
        code: 'DISK_FULL',
        why: 'The disk is full.',
        next: expect.stringContaining('Make room') as string,
      })
    }
    expect(isDiskError(new Error('something else'))).toBe(false)
  })
})
