import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { type Deferred, deferred } from '../../base/async.ts'
import { settle } from '../../base/fake-clock.ts'
import { silentLogger } from '../../base/logger.ts'
import { type KeyEntry, Version } from '../mvcc/version.ts'
import { StoreError } from '../store.ts'
import { EmbeddedBackend } from './embedded-backend.ts'
import { openDatabase } from './schema.ts'
import { ValueCache } from './value-cache.ts'
import { ValueReader } from './value-reader.ts'
import type { Batch } from './writer.ts'

/** The change of that number: a put of version 1, or a deletion. */
function versionOf(seq: number, version = 1): Version {
  const entry: KeyEntry = { key: `k${seq}`, head: null }
  return new Version(
    entry,
    { seq, revision: seq, sub: 0, createRevision: seq * version, version, lease: 0n, size: version },
    new Uint8Array(version),
  )
}

describe('EmbeddedBackend', () => {
  let dir: string
  let sent: { batch: Batch; answer: Deferred<void> }[]
  let shrunk: number[]
  beforeEach(() => {
    dir = mkdtempSync(join(tmpdir(), 'store-'))
    sent = []
    shrunk = []
  })
  afterEach(() => rmSync(dir, { recursive: true }))

  function backendOf(versions: readonly Version[], full = false) {
    const dead = versions.map((version) => ({ version, until: version.revision + 1 }))
    const db = openDatabase(join(dir, 'store.db'))
    const cache = new ValueCache(1000)
    const writer = {
      full,
      refusal: null,
      frame: (size: number) => new ArrayBuffer(size),
      commit: (batch: Batch) => {
        const answer = deferred<void>()
        sent.push({ batch, answer })
        return answer.promise
      },
      shrink: (pages: number) => {
        shrunk.push(pages)
        return Promise.resolve(0)
      },
      defragment: () => Promise.resolve(),
    }
    const reader = new ValueReader({ db, cache, onDamage: () => undefined })
    const check = () => Promise.resolve([])
    return new EmbeddedBackend({
      db,
      path: join(dir, 'store.db'),
      cache,
      logger: silentLogger,
      archive: null,
      quota: 0,
      writer,
      reader,
      dead,
      check,
      close: async () => db.close(),
    })
  }
  const purged = () => sent.map(({ batch }) => batch.purge)
  const range = (from: number, to: number) => Array.from({ length: to - from }, (_, i) => from + i)

  it('clears away what is left over while nobody writes, slice by slice, the oldest first', async () => {
    const backend = backendOf(range(1, 601).map((seq) => versionOf(seq)))
    expect(purged()).toEqual([range(1, 257)])
    for (let i = 0; i < 3; i++) {
      sent.at(-1)?.answer.resolve()
      await settle()
    }
    expect(purged()).toEqual([range(1, 257), range(257, 513), range(513, 601)])
    await backend.close()
  })

  it('sends a slice with each batch, and after a failure begins again with the oldest', async () => {
    const backend = backendOf(range(1, 901).map((seq) => versionOf(seq)))
    const change = { before: 1, revision: 2, changes: [versionOf(1000)] }
    const failures = [backend.commit([change]), backend.commit([change])].map((work) => work.catch((error: unknown) => error))
    expect(purged()).toEqual([range(1, 257), range(257, 513), range(513, 769)])
    const full = new StoreError('noSpace', 'the disk is full')
    for (const { answer } of sent) answer.reject(full)
    expect(await Promise.all(failures)).toEqual([full, full])
    await settle()
    sent = []
    backend.commit([change]).catch(() => undefined)
    expect(purged()).toEqual([range(1, 257)])
    sent[0]?.answer.resolve()
    await settle()
    const closed = backend.close()
    for (const { answer } of sent) answer.resolve()
    await closed
  })

  it('accepts only what makes room while the disk is full', () => {
    const [put, deletion] = [versionOf(5), versionOf(6, 0)]
    const [roomy, full] = [backendOf([]), backendOf([], true)]
    const grant = { id: 1n, ttl: 1, keys: new Set<string>(), expiresAt: 0 }
    expect([roomy.refusal({ changes: [put] }), roomy.refusal({ changes: [], grant })]).toEqual([null, null])
    expect([full.refusal({ changes: [deletion] }), full.refusal({ changes: [] })]).toEqual([null, null])
    expect(full.refusal({ changes: [deletion, put] })?.code).toBe('noSpace')
    expect(full.refusal({ changes: [], grant })?.code).toBe('noSpace')
    expect(roomy.stats().alarms).toEqual([])
    expect(full.stats().alarms).toEqual(['noSpace'])
  })
})
