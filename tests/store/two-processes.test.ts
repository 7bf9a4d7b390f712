import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { systemClock } from '../../electron/base/clock.ts'
import type { FlotillaError } from '../../electron/base/errors.ts'
import { silentLogger } from '../../electron/base/logger.ts'
import { createEmbeddedStore } from '../../electron/store/embedded/embedded-store.ts'
import { startWriter, type WriterChild } from './writer-child.ts'

describe('two processes and one folder', () => {
  let dir: string
  beforeEach(() => {
    dir = mkdtempSync(join(tmpdir(), 'store-two-'))
  })
  afterEach(() => rmSync(dir, { recursive: true }))

  /** Another process that has the store open and has written to it, until it is killed. */
  async function holder(): Promise<WriterChild> {
    const child = startWriter(dir, 1, 1)
    await child.hasTold(1000)
    return child
  }
  const open = () => createEmbeddedStore({ dir, clock: systemClock, logger: silentLogger })

  it('refuses the second, says which process has the store, and does it no harm', async () => {
    const first = await holder()
    const error = await open().catch((thrown: unknown) => thrown as FlotillaError)
    expect(error).toMatchObject({ name: 'FlotillaError', code: 'STATE_LOCKED' })
    expect((error as FlotillaError).why).toContain(`process ${first.pid} since`)
    await expect(open()).rejects.toMatchObject({ code: 'STATE_LOCKED' })
    await first.kill()
    await using store = await open()
    expect((await store.status()).revision).toBeGreaterThan(1)
  })

  it('takes over from one that died without giving it back', async () => {
    for (let round = 0; round < 3; round++) await (await holder()).kill()
    await using store = await open()
    await store.txn({ success: [{ type: 'put', key: 'a', value: Buffer.from('1') }] })
    await expect(open()).rejects.toMatchObject({ why: expect.stringContaining(`process ${process.pid} since`) as string })
  })

  it('lets exactly one of many that start at once have it', async () => {
    const results = await Promise.allSettled(Array.from({ length: 5 }, open))
    const won = results.filter((result) => result.status === 'fulfilled')
    expect(won).toHaveLength(1)
    for (const result of results) if (result.status === 'rejected') expect(result.reason).toMatchObject({ code: 'STATE_LOCKED' })
    await won[0]?.value[Symbol.asyncDispose]()
  })
})
