import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { sleep, systemClock } from '../../electron/base/clock.ts'
import { silentLogger } from '../../electron/base/logger.ts'
import { randomInt, seededRandom } from '../../electron/base/random.ts'
import { createEmbeddedStore } from '../../electron/store/embedded/embedded-store.ts'
import type { StoreHistory, WatchBatch } from '../../electron/store/store.ts'
import { startWriter } from './writer-child.ts'
import type { Line } from './writer-process.ts'

const ROUNDS = 20

describe('an embedded store whose process is killed', () => {
  let dir: string
  beforeAll(() => {
    dir = mkdtempSync(join(tmpdir(), 'store-kill-'))
  })
  afterAll(() => rmSync(dir, { recursive: true }))

  /** Starts the writing process, and kills it when it has told a number of bytes and some time more has passed. */
  async function runUntilKilled(seed: number, from: number): Promise<readonly Line[]> {
    const random = seededRandom(seed)
    const child = startWriter(dir, seed, from)
    await child.hasTold(randomInt(random, 600_000))
    await sleep(systemClock, random.float() * 5)
    const { lines, signal } = await child.kill()
    expect(signal).toBe('SIGKILL')
    return lines
  }

  const told = ({ events }: WatchBatch) =>
    events.map(({ type, kv }) => (type === 'put' ? `${kv.key}=${Buffer.from(kv.value).toString()}` : kv.key))

  it(`loses nothing it acknowledged, uses no revision twice, and lets watchers go on, over ${ROUNDS} rounds`, async () => {
    /** Everything that was ever told of a revision, by anyone; it must never be told differently. */
    const known = new Map<number, string>()
    const learn = (revision: number, changes: readonly string[]) => {
      const lines = changes.join('\n')
      expect(known.get(revision) ?? lines).toBe(lines)
      known.set(revision, lines)
    }
    let seenUpTo = 1
    let acknowledged = 0
    for (let round = 1; round <= ROUNDS; round++) {
      const lines = await runUntilKilled(round, seenUpTo + 1)
      const highest = Math.max(0, ...known.keys())
      for (const { type, revision, changes } of lines) {
        if (type === 'open') expect(revision).toBeGreaterThanOrEqual(highest)
        else learn(revision, changes)
        if (type === 'seen') expect(revision).toBe(++seenUpTo)
        if (type === 'ack') acknowledged++
      }
    }
    await using store = await createEmbeddedStore({ dir, clock: systemClock, logger: silentLogger })
    const { revision, compactRevision } = await store.status()
    expect(revision).toBeGreaterThanOrEqual(Math.max(...known.keys()))
    expect(acknowledged).toBeGreaterThan(ROUNDS * 50)

    let next = Math.max(2, compactRevision)
    const watcher = store.watch({ key: '\0', end: '\0', startRevision: next })
    await watcher.created
    watcher.requestProgress()
    const state = new Map<string, string>()
    for await (const batch of watcher) {
      if (batch.events.length === 0) break
      expect(batch.revision).toBe(next++)
      learn(batch.revision, told(batch))
    }
    expect(next).toBe(revision + 1)

    const history = store.history as StoreHistory
    expect((await history.bounds()).oldest.revision).toBe(1)
    const past = await history.changes({ key: '\0', end: '\0', from: 1, to: revision, limit: revision })
    expect(past.map((batch) => batch.revision)).toEqual(Array.from({ length: revision - 1 }, (_, i) => i + 2))
    for (const batch of past) learn(batch.revision, told(batch))

    for (let at = 2; at <= revision; at++) {
      const changes = known.get(at)
      if (changes === undefined) throw new Error(`nobody ever saw revision ${at}`)
      for (const change of changes.split('\n')) {
        const [key = '', value] = change.split('=')
        if (value === undefined) state.delete(key)
        else state.set(key, value)
      }
    }
    const { kvs } = await store.range({ key: '\0', end: '\0' })
    expect(Object.fromEntries(kvs.map(({ key, value }) => [key, Buffer.from(value).toString()]))).toEqual(Object.fromEntries(state))
  })
})
