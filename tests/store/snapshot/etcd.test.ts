import { mkdirSync, mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { systemClock } from '../../../electron/base/clock.ts'
import { silentLogger } from '../../../electron/base/logger.ts'
import { seededRandom } from '../../../electron/base/random.ts'
import { createEmbeddedStore } from '../../../electron/store/embedded/embedded-store.ts'
import { createEtcdFace } from '../../../electron/store/etcd/etcd-face.ts'
import { createMemoryStore } from '../../../electron/store/memory/memory-store.ts'
import { createRemoteStore } from '../../../electron/store/remote/remote-store.ts'
import { readSnapshot } from '../../../electron/store/snapshot/read-snapshot.ts'
import { restoreSnapshot } from '../../../electron/store/snapshot/restore-snapshot.ts'
import type { Store } from '../../../electron/store/store.ts'
import { ALL, put, remove, write } from '../../../electron/store/testing/subject.ts'
import { EtcdMember, freePort } from '../etcd/member.ts'
import { etcdctl, hashByEtcd, memberFrom, saveTo, statusByEtcd } from './etcdctl.ts'
import { picture, traffic } from './traffic.ts'

const deps = { clock: systemClock, logger: silentLogger }

describe('snapshots between Flotilla and etcd', () => {
  let root: string
  let opened: AsyncDisposableStack
  let snapshots: number
  beforeEach(() => {
    root = mkdtempSync(join(tmpdir(), 'snapshot-'))
    opened = new AsyncDisposableStack()
    snapshots = 0
  })
  afterEach(async () => {
    await opened.disposeAsync()
    rmSync(root, { recursive: true })
  })

  const folder = (name: string) => {
    mkdirSync(join(root, name))
    return join(root, name)
  }
  const embedded = async (dir: string) => opened.use(await createEmbeddedStore({ ...deps, dir, reserveBytes: 4096 }))
  const remote = async (member: EtcdMember) => opened.use(await createRemoteStore({ ...deps, endpoints: [member.url] }))
  const started = async (member: EtcdMember) => {
    opened.use(member)
    await member.start()
    return member
  }
  const saved = async (store: Store) => {
    const path = join(root, `${snapshots++}.snap`)
    await saveTo(store, path)
    return path
  }
  const restored = async (path: string, name: string) => {
    await using file = await readSnapshot(path)
    await restoreSnapshot({ ...deps, file, dir: join(root, name) })
    return embedded(join(root, name))
  }
  /** Our tool and etcd's say the same of a snapshot. */
  const sameStatus = async (path: string) => {
    await using file = await readSnapshot(path)
    const { hash, totalKeys, totalSize, revision } = file
    const byEtcd = await statusByEtcd(path)
    expect({ hash, totalKey: totalKeys, totalSize }).toEqual({ hash: byEtcd.hash, totalKey: byEtcd.totalKey, totalSize: byEtcd.totalSize })
    return { revision, byEtcd: byEtcd.revision }
  }

  it.each([
    ['as it is', 0],
    ['compacted', 0.5],
    ['compacted at its newest revision', 1],
  ])('a store, %s, is served by etcd with the same keys, history, leases and hash', async (_how, compactAt) => {
    const store = await embedded(folder('ours'))
    const newest = await traffic(store, seededRandom(7), 150)
    if (compactAt > 0) await store.compact(Math.round(newest * compactAt))
    const path = await saved(store)
    expect(await sameStatus(path)).toEqual({ revision: newest, byEtcd: newest })
    const member = await started(await memberFrom(path, folder('theirs')))
    const theirs = await remote(member)
    expect(await picture(theirs)).toEqual(await picture(store))
    expect(await hashByEtcd(member.url)).toBe((await store.maintenance.hash()).hash)
    const at = Math.round(newest * 0.8)
    if (compactAt < 0.8) expect(await hashByEtcd(member.url, at)).toBe((await store.maintenance.hash(at)).hash)
    expect(await write(theirs, 'more', '1')).toBe(newest + 1)
    await member.kill()
    await member.start()
    expect((await theirs.range({ key: 'more' })).kvs[0]).toMatchObject({ modRevision: newest + 1 })
  })

  it.each([
    ['as it is', 0],
    ['compacted', 0.5],
    ['compacted at its newest revision', 1],
  ])('an etcd, %s, becomes a store with the same keys, history, leases and hash, and back', async (_how, compactAt) => {
    const member = await started(new EtcdMember({ dir: folder('theirs'), port: await freePort(), peerPort: await freePort() }))
    const theirs = await remote(member)
    const newest = await traffic(theirs, seededRandom(8), 150)
    if (compactAt > 0) await etcdctl('--endpoints', member.url, 'compact', String(Math.round(newest * compactAt)), '--physical')
    const path = join(root, 'theirs.snap')
    await etcdctl('--endpoints', member.url, 'snapshot', 'save', path)
    expect(await sameStatus(path)).toEqual({ revision: newest, byEtcd: newest })
    const store = await restored(path, 'ours')
    const all = await picture(store)
    expect(all).toEqual(await picture(theirs))
    expect((await store.maintenance.hash()).hash).toBe(await hashByEtcd(member.url))
    expect(await picture(await restored(await saved(store), 'again'))).toEqual(all)
    expect(await write(store, 'more', '1')).toBe(newest + 1)
  })

  it('an etcd whose newest change, a deletion, was compacted keeps its revision', async () => {
    const member = await started(new EtcdMember({ dir: folder('theirs'), port: await freePort(), peerPort: await freePort() }))
    const theirs = await remote(member)
    await write(theirs, 'a', '1')
    await write(theirs, 'b', '1')
    await remove(theirs, 'a')
    await etcdctl('--endpoints', member.url, 'compact', '4', '--physical')
    const path = join(root, 'theirs.snap')
    await etcdctl('--endpoints', member.url, 'snapshot', 'save', path)
    const store = await restored(path, 'ours')
    expect(await picture(store)).toEqual(await picture(theirs))
    expect(await store.status()).toMatchObject({ revision: 4, compactRevision: 4, keys: 1 })
    expect((await store.maintenance.hash()).hash).toBe(await hashByEtcd(member.url))
    for (const each of [store, theirs]) await remove(each, ALL.key, ALL.end)
    expect((await store.maintenance.hash()).hash).toBe(await hashByEtcd(member.url))
    expect(await write(store, 'a', '2')).toBe(6)
    const again = await restored(await saved(store), 'again')
    expect(await picture(again)).toEqual(await picture(store))
  })

  it('the database of a stopped member is taken as it lies, when told to', async () => {
    const dir = folder('theirs')
    const member = await started(new EtcdMember({ dir, port: await freePort(), peerPort: await freePort() }))
    const newest = await traffic(await remote(member), seededRandom(9), 150)
    await etcdctl('--endpoints', member.url, 'compact', String(newest - 10), '--physical')
    // Brings the database up to its log.
    await etcdctl('--endpoints', member.url, 'snapshot', 'save', join(root, 'saved.snap'))
    await member.kill()
    const path = join(dir, 'etcd/member/snap/db')
    await expect(readSnapshot(path)).rejects.toMatchObject({ code: 'STATE_UNREADABLE' })
    await using file = await readSnapshot(path, { skipHashCheck: true })
    await restoreSnapshot({ ...deps, file, dir: join(root, 'ours') })
    const store = await embedded(join(root, 'ours'))
    expect(await picture(store)).toEqual(await picture(await restored(join(root, 'saved.snap'), 'again')))
    expect(await store.status()).toMatchObject({ revision: newest, compactRevision: newest - 10 })
  })

  it('a deletion at the compacted revision does not come back to life', async () => {
    const store = await embedded(folder('ours'))
    await write(store, 'a', '1')
    await write(store, 'b', '1')
    await remove(store, 'a')
    await store.compact(4)
    const path = await saved(store)
    await sameStatus(path)
    const member = await started(await memberFrom(path, folder('theirs')))
    const theirs = await remote(member)
    expect(await picture(theirs)).toEqual(await picture(store))
    expect((await theirs.range(ALL)).kvs.map(({ key }) => key)).toEqual(['b'])
    expect(await picture(await restored(path, 'again'))).toEqual(await picture(store))
  })

  it('etcdctl saves the same file from our own etcd face', async () => {
    const store = await embedded(folder('ours'))
    await traffic(store, seededRandom(10), 100)
    await write(store, 'big', 'x'.repeat(1_400_000))
    const identity = { clusterId: 1n, memberId: 2n, name: 'ours' }
    const face = opened.use(createEtcdFace({ ...deps, store, listen: { port: 0 }, tls: null, identity }))
    await face.start()
    const path = join(root, 'saved-by-etcdctl')
    await etcdctl('--endpoints', face.url, 'snapshot', 'save', path)
    expect(readFileSync(path).equals(readFileSync(await saved(store)))).toBe(true)
    await sameStatus(path)
    expect(await hashByEtcd(face.url)).toBe((await store.maintenance.hash()).hash)
  })

  it('an empty store goes both ways', async () => {
    const store = await embedded(folder('ours'))
    const path = await saved(store)
    expect(await sameStatus(path)).toEqual({ revision: 1, byEtcd: 0 })
    const member = await started(await memberFrom(path, folder('theirs')))
    expect(await hashByEtcd(member.url)).toBe((await store.maintenance.hash()).hash)
    const back = join(root, 'back.snap')
    await etcdctl('--endpoints', member.url, 'snapshot', 'save', back)
    expect(await (await restored(back, 'back')).status()).toMatchObject({ revision: 1, keys: 0, compactRevision: 0 })
  })

  it('20,000 keys and values of 1.5 MB go both ways', async () => {
    const store = opened.use(createMemoryStore(deps))
    for (let i = 0; i < 20_000; i += 100) {
      const success = Array.from({ length: 100 }, (_, j) => put(`many/${String(i + j).padStart(5, '0')}`, `value ${i + j}`))
      await store.txn({ success })
    }
    for (let i = 0; i < 3; i++) await write(store, `big/${i}`, String(i).repeat(1_500_000))
    const path = await saved(store)
    await sameStatus(path)
    const member = await started(await memberFrom(path, folder('theirs')))
    const { hash } = await store.maintenance.hash()
    expect(await hashByEtcd(member.url)).toBe(hash)
    // Each value is found by its revision, down through all levels of branches.
    const { kvs } = await (await remote(member)).range({ key: 'many/', end: 'many0' })
    expect(kvs.every(({ value }, i) => Buffer.from(value).toString() === `value ${i}`)).toBe(true)
    expect(kvs.length).toBe(20_000)
    const back = join(root, 'back.snap')
    await etcdctl('--endpoints', member.url, 'snapshot', 'save', back)
    const again = await restored(back, 'back')
    expect((await again.maintenance.hash()).hash).toBe(hash)
    expect(Buffer.from((await again.range({ key: 'big/2' })).kvs[0]?.value ?? []).toString()).toBe('2'.repeat(1_500_000))
    expect(await again.status()).toMatchObject({ revision: 204, keys: 20_003 })
  })
})
