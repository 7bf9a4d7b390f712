import type { Random } from '../../../electron/base/random.ts'
import type { LeaseId, Op, Store, WatchBatch } from '../../../electron/store/store.ts'
import { ALL, del, put } from '../../../electron/store/testing/subject.ts'

const KEYS = 40

/** Puts, deletions and transactions of several keys, some under a lease; returns the newest revision. */
export async function traffic(store: Store, random: Random, steps: number): Promise<number> {
  const leases: LeaseId[] = []
  for (let i = 0; i < 3; i++) leases.push((await store.lease.grant(10_000 + i)).id)
  const pick = (n: number) => Math.floor(random.float() * n)
  let revision = 1
  for (let i = 0; i < steps; i++) {
    const keys = new Set(Array.from({ length: 1 + pick(4) }, () => `k${pick(KEYS)}\xff`))
    const success: Op[] = [...keys].map((key) => {
      if (pick(4) === 0) return del(key)
      const lease = pick(3) === 0 ? leases[pick(leases.length)] : undefined
      return put(key, 'v'.repeat(pick(20) === 0 ? 9000 : pick(200)), lease === undefined ? {} : { lease })
    })
    revision = (await store.txn({ success })).revision
  }
  return revision
}

/** All that can be asked of a store, in a form that can be compared. */
export async function picture(store: Store) {
  const { revision, compactRevision } = await store.status()
  const states: unknown[] = []
  for (let at = Math.max(1, compactRevision); at <= revision; at += Math.max(1, Math.floor((revision - compactRevision) / 50))) {
    states.push([at, (await store.range({ ...ALL, revision: at })).kvs.map(plain)])
  }
  const leases: unknown[] = []
  for (const id of await store.lease.list()) {
    const { grantedTtl, keys } = await store.lease.timeToLive(id, { keys: true })
    leases.push({ id, grantedTtl, keys: [...keys].sort() })
  }
  leases.sort((a, b) => ((a as { id: bigint }).id < (b as { id: bigint }).id ? -1 : 1))
  return { revision, compactRevision, states, leases, changes: await changesFrom(store, compactRevision + 1, revision) }
}

async function changesFrom(store: Store, from: number, to: number): Promise<unknown[]> {
  const changes: unknown[] = []
  if (from > to || to === 1) return changes
  await using watcher = store.watch({ ...ALL, startRevision: from })
  for await (const batch of watcher) {
    if (batch.events.length > 0) changes.push([batch.revision, batch.events.map(({ type, kv }) => ({ type, ...plain(kv) }))])
    if (batch.revision >= to) break
  }
  return changes
}

function plain({ value, ...facts }: WatchBatch['events'][number]['kv']) {
  return { ...facts, value: Buffer.from(value).toString('latin1') }
}
