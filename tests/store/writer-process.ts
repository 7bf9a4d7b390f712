/**
 * A process that writes to an embedded store until it is killed: `node writer-process.ts DIR SEED FROM`. It tells on standard output, a
 * file, one JSON object a line, what was acknowledged (`ack`) and what a watcher that began at revision FROM has seen (`seen`).
 */
import { writeSync } from 'node:fs'
import { systemClock } from '../../electron/base/clock.ts'
import { silentLogger } from '../../electron/base/logger.ts'
import { type Random, randomInt, seededRandom } from '../../electron/base/random.ts'
import { createEmbeddedStore } from '../../electron/store/embedded/embedded-store.ts'
import type { Op, Store } from '../../electron/store/store.ts'

export interface Line {
  readonly type: 'open' | 'ack' | 'seen'
  readonly revision: number
  /** Changes in order: `key=value` or `key` deleted. */
  readonly changes: readonly string[]
}

const WRITERS = 20
const KEYS = 30
/** How many revisions stay readable: more than are written while nobody reads what is told of them. */
const HISTORY = 2000

export async function tellUntilKilled(dir: string, seed: number, from: number): Promise<void> {
  const store = await createEmbeddedStore({ dir, clock: systemClock, logger: silentLogger, cacheBytes: 100_000 })
  tell({ type: 'open', revision: (await store.status()).revision, changes: [] })
  const random = seededRandom(seed)
  const writers = Array.from({ length: WRITERS }, (_, i) => writeForEver(store, seededRandom(seed * 1000 + i), `${seed}.${i}`))
  await Promise.race([watchForEver(store, from), compactForEver(store, random), ...writers])
}

function tell(line: Line): void {
  writeSync(1, `${JSON.stringify(line)}\n`)
}

async function writeForEver(store: Store, random: Random, name: string): Promise<never> {
  for (let n = 0; ; n++) {
    const ops = new Map<string, Op>()
    for (let i = 0; i <= randomInt(random, 3); i++) {
      const key = `k${String(randomInt(random, KEYS)).padStart(2, '0')}`
      const value = `${name}.${n}.${'x'.repeat(randomInt(random, 1000))}`
      ops.set(key, random.float() < 0.2 ? { type: 'delete', key } : { type: 'put', key, value: Buffer.from(value) })
    }
    const { revision, responses } = await store.txn({ success: [...ops.values()] })
    const changes = [...ops.values()].flatMap((op, i) => {
      if (op.type === 'put') return [`${op.key}=${Buffer.from(op.value).toString()}`]
      const response = responses[i]
      return op.type === 'delete' && response?.type === 'delete' && response.deleted > 0 ? [op.key] : []
    })
    if (changes.length > 0) tell({ type: 'ack', revision, changes })
  }
}

async function watchForEver(store: Store, from: number): Promise<void> {
  for await (const { revision, events } of store.watch({ key: '\0', end: '\0', startRevision: from })) {
    const changes = events.map(({ type, kv }) => (type === 'put' ? `${kv.key}=${Buffer.from(kv.value).toString()}` : kv.key))
    tell({ type: 'seen', revision, changes })
  }
}

/** Compacts now and then. */
async function compactForEver(store: Store, random: Random): Promise<never> {
  for (;;) {
    await new Promise((resolve) => setTimeout(resolve, 5 + randomInt(random, 40)))
    const { revision, compactRevision } = await store.status()
    if (revision - HISTORY > compactRevision) await store.compact(revision - HISTORY)
  }
}

if (import.meta.main) {
  const [dir, seed, from] = process.argv.slice(2)
  await tellUntilKilled(dir as string, Number(seed), Number(from))
}
