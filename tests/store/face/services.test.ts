import { create, fromBinary, toBinary } from '@bufbuild/protobuf'
import type { DescMessage, DescMethod, MessageInitShape, MessageShape } from '@bufbuild/protobuf'
import { Client, credentials, type ServiceError } from '@grpc/grpc-js'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { systemClock } from '../../../electron/base/clock.ts'
import { FakeClock } from '../../../electron/base/fake-clock.ts'
import { silentLogger } from '../../../electron/base/logger.ts'
import { createEtcdFace, type EtcdFace } from '../../../electron/store/etcd/etcd-face.ts'
import { createMemoryStore } from '../../../electron/store/memory/memory-store.ts'
import type { Store } from '../../../electron/store/store.ts'
import { ALL, put, remove, write } from '../../../electron/store/testing/subject.ts'
import { Election } from '../../../electron/store/wire/gen/election_pb.js'
import { Auth, Cluster, KV, Lease, Maintenance, Watch } from '../../../electron/store/wire/gen/etcd_pb.js'
import { Health } from '../../../electron/store/wire/gen/health_pb.js'
import { Lock } from '../../../electron/store/wire/gen/lock_pb.js'
import { keyBytes, keyOf } from '../../../electron/store/wire/keys.ts'

type Method<I extends DescMessage, O extends DescMessage> = DescMethod & { readonly input: I; readonly output: O }
interface Stream<I, O> {
  readonly messages: readonly O[]
  readonly failure: () => ServiceError | null
  send(message: I): void
  /** Says that this was all. */
  end(): void
  cancel(): void
}

const bytes = (text: string) => keyBytes(text)
const MINUTES = 60_000

describe('etcd’s services on a store', () => {
  let clock: FakeClock
  let store: Store
  let face: EtcdFace
  let client: Client
  beforeEach(async () => {
    clock = new FakeClock()
    store = createMemoryStore({ clock, logger: silentLogger })
    face = createEtcdFace({
      ...{ store, clock: systemClock, logger: silentLogger },
      listen: { port: 0 },
      tls: null,
      identity: { clusterId: 0xffff_ffff_ffff_fff1n, memberId: 2n, name: 'services' },
    })
    await face.start()
    client = new Client(new URL(face.url).host, credentials.createInsecure(), { 'grpc.max_receive_message_length': -1 })
  })
  afterEach(async () => {
    client.close()
    await face[Symbol.asyncDispose]()
    await store[Symbol.asyncDispose]()
  })

  const pathOf = (method: DescMethod) => `/${method.parent.typeName}/${method.name}`
  const encoder =
    <I extends DescMessage>(schema: I) =>
    (message: MessageInitShape<I>) =>
      Buffer.from(toBinary(schema, create(schema, message)))

  function ask<I extends DescMessage, O extends DescMessage>(
    method: Method<I, O>,
    message: MessageInitShape<I>,
    signal?: AbortSignal,
  ): Promise<MessageShape<O>> {
    return new Promise((resolve, reject) => {
      const call = client.makeUnaryRequest<MessageInitShape<I>, MessageShape<O>>(
        pathOf(method),
        encoder(method.input),
        (answer) => fromBinary(method.output, answer),
        message,
        (error, value) => (value === undefined ? reject(error) : resolve(value)),
      )
      signal?.addEventListener('abort', () => call.cancel())
    })
  }

  async function refusal(work: Promise<unknown>): Promise<string> {
    const error = (await work.then(
      () => new Error('it was not refused'),
      (thrown: unknown) => thrown,
    )) as ServiceError
    return `${error.code} ${error.details}`
  }

  function open<I extends DescMessage, O extends DescMessage>(method: Method<I, O>): Stream<MessageInitShape<I>, MessageShape<O>> {
    const call = client.makeBidiStreamRequest<MessageInitShape<I>, MessageShape<O>>(pathOf(method), encoder(method.input), (answer) =>
      fromBinary(method.output, answer),
    )
    const messages: MessageShape<O>[] = []
    let failure: ServiceError | null = null
    call.on('data', (message: MessageShape<O>) => messages.push(message))
    call.on('error', (error: ServiceError) => (failure = error))
    return {
      messages,
      failure: () => failure,
      send: (message) => void call.write(message),
      end: () => call.end(),
      cancel: () => call.cancel(),
    }
  }

  describe('Watch', () => {
    const watching = () => open(Watch.method.watch)
    type Watching = ReturnType<typeof watching>
    type Create = Extract<Parameters<Watching['send']>[0]['requestUnion'], { case: 'createRequest' }>['value']
    const from = (stream: Watching, value: Create) => stream.send({ requestUnion: { case: 'createRequest', value } })
    const heard = (stream: Watching) =>
      stream.messages.map(({ watchId, created, canceled, fragment, header, events, compactRevision, cancelReason }) => {
        const told = events.map(({ type, kv, prevKv }) => {
          const was = prevKv ? ` was ${keyOf(prevKv.value)}` : ''
          return `${type === 1 ? 'delete' : 'put'} ${keyOf(kv?.key ?? bytes(''))}${was}`
        })
        const flags = [
          created && 'created',
          canceled && 'canceled',
          fragment && 'fragment',
          compactRevision && `compacted ${compactRevision}`,
        ]
        return [`${watchId}@${header?.revision}`, ...flags.filter(Boolean), ...told, cancelReason].filter((text) => text !== '').join(' ')
      })

    it('serves several watches on one stream, each with what it asked for', async () => {
      await using _ = { [Symbol.asyncDispose]: async () => stream.cancel() }
      const stream = watching()
      from(stream, { key: bytes('a'), prevKv: true })
      from(stream, { key: bytes('a'), rangeEnd: bytes('c'), filters: [0] })
      from(stream, { key: bytes('b'), watchId: 7n, filters: [1] })
      from(stream, { key: bytes('\0'), rangeEnd: bytes('\0'), startRevision: 4n })
      await expect.poll(() => heard(stream)).toEqual(['0@1 created', '1@1 created', '7@1 created', '2@1 created'])
      await write(store, 'a', '1')
      await write(store, 'b', '2')
      await store.txn({ success: [put('a', '3'), { type: 'delete', key: 'b' }] })
      await expect
        .poll(() => heard(stream).slice(4).sort())
        .toEqual(['0@2 put a', '0@4 put a was 1', '1@4 delete b', '2@4 put a delete b', '7@3 put b'])
    })

    it('ends one watch when told so, with a last word, and goes on with the others', async () => {
      const stream = watching()
      from(stream, { key: bytes('a') })
      from(stream, { key: bytes('a') })
      stream.send({ requestUnion: { case: 'cancelRequest', value: { watchId: 0n } } })
      stream.send({ requestUnion: { case: 'cancelRequest', value: { watchId: 9n } } })
      await expect.poll(() => heard(stream)).toEqual(['0@1 created', '1@1 created', '0@1 canceled'])
      await write(store, 'a', '1')
      await expect.poll(() => heard(stream).slice(3)).toEqual(['1@2 put a'])
      stream.cancel()
    })

    it('goes on for a client that has said all', async () => {
      const stream = watching()
      from(stream, { key: bytes('a') })
      stream.end()
      await expect.poll(() => heard(stream)).toEqual(['0@1 created'])
      await write(store, 'a', '1')
      await expect.poll(() => heard(stream).slice(1)).toEqual(['0@2 put a'])
      stream.cancel()
    })

    it('refuses a watch in etcd’s words without ending the stream', async () => {
      const stream = watching()
      from(stream, { key: bytes('a'), watchId: 3n })
      from(stream, { key: bytes('a'), watchId: 3n })
      from(stream, { key: bytes('b'), rangeEnd: bytes('a') })
      from(stream, { key: bytes('b'), startRevision: -1n })
      await expect
        .poll(() => heard(stream))
        .toEqual([
          '3@1 created',
          '-1@1 created canceled mvcc: duplicate watch ID provided on the WatchStream',
          '-1@1 created canceled mvcc: watcher range is empty',
          '-1@1 created canceled etcdserver: mvcc: required revision has been compacted',
        ])
      stream.cancel()
    })

    it('says from where on there is history when a watch begins before it', async () => {
      for (let i = 0; i < 5; i++) await write(store, 'a', String(i))
      await store.compact(4)
      const stream = watching()
      from(stream, { key: bytes('a'), startRevision: 2n })
      from(stream, { key: bytes('a'), startRevision: 5n })
      await expect.poll(() => heard(stream)).toEqual(expect.arrayContaining(['0@6 canceled compacted 4', '1@5 put a', '1@6 put a']))
      stream.cancel()
    })

    it('tells how far it is: when asked, of the stream as a whole, and by itself to those who want it', async () => {
      const stream = watching()
      stream.send({ requestUnion: { case: 'progressRequest', value: {} } })
      from(stream, { key: bytes('a') })
      from(stream, { key: bytes('b'), progressNotify: true })
      await expect.poll(() => stream.messages.length).toBe(2)
      await write(store, 'a', '1')
      await write(store, 'c', '1')
      stream.send({ requestUnion: { case: 'progressRequest', value: {} } })
      await expect.poll(() => heard(stream).slice(2)).toEqual(['0@2 put a', '-1@3'])
      await clock.advance(10 * MINUTES)
      await expect.poll(() => heard(stream).slice(4)).toEqual(['1@3'])
      await remove(store, 'c')
      stream.send({ requestUnion: { case: 'progressRequest', value: {} } })
      stream.send({ requestUnion: { case: 'progressRequest', value: {} } })
      await expect.poll(() => heard(stream).at(-1)).toBe('-1@4')
      stream.cancel()
    })

    it('cuts a large revision into fragments for those who take them', async () => {
      const stream = watching()
      from(stream, { key: bytes('a'), rangeEnd: bytes('b'), fragment: true })
      from(stream, { key: bytes('a'), rangeEnd: bytes('b') })
      await expect.poll(() => stream.messages.length).toBe(2)
      const value = Buffer.alloc(900_000)
      await store.txn({ success: ['a1', 'a2', 'a3', 'a4', 'a5'].map((key) => ({ type: 'put', key, value })) })
      await expect
        .poll(() => heard(stream).slice(2).sort())
        .toEqual(['0@2 fragment put a1 put a2', '0@2 fragment put a3 put a4', '0@2 put a5', '1@2 put a1 put a2 put a3 put a4 put a5'])
      stream.cancel()
    })
  })

  describe('Lease', () => {
    it('keeps leases alive in the order that it is asked, and gives none that is gone any time', async () => {
      await ask(Lease.method.leaseGrant, { ID: 5n, TTL: 30n })
      const stream = open(Lease.method.leaseKeepAlive)
      for (const ID of [5n, 6n, 5n]) stream.send({ ID })
      await expect.poll(() => stream.messages.map(({ ID, TTL }) => `${ID}: ${TTL}`)).toEqual(['5: 30', '6: 0', '5: 30'])
      stream.cancel()
    })

    it('refuses in etcd’s words', async () => {
      await ask(Lease.method.leaseGrant, { ID: 5n, TTL: -3n })
      expect(await refusal(ask(Lease.method.leaseGrant, { ID: 5n, TTL: 30n }))).toBe('9 etcdserver: lease already exists')
      expect(await refusal(ask(Lease.method.leaseGrant, { TTL: 9_000_000_001n }))).toBe('11 etcdserver: too large lease TTL')
      expect(await refusal(ask(Lease.method.leaseRevoke, { ID: 7n }))).toBe('5 etcdserver: requested lease not found')
      expect(await ask(Lease.method.leaseTimeToLive, { ID: 7n })).toMatchObject({ ID: 7n, TTL: -1n, grantedTTL: 0n })
    })
  })

  describe('Lock', () => {
    it('makes a lease for who brings none, waits for who came first, and gives the place up with the call', async () => {
      const first = await ask(Lock.method.lock, { name: bytes('l') })
      const stop = new AbortController()
      const second = refusal(ask(Lock.method.lock, { name: bytes('l') }, stop.signal))
      await expect.poll(async () => (await store.range(ALL)).count).toBe(2)
      stop.abort()
      expect(await second).toMatch(/^1 /)
      await expect.poll(async () => (await store.range(ALL)).count).toBe(1)
      const third = ask(Lock.method.lock, { name: bytes('l') })
      await expect.poll(async () => (await store.range(ALL)).count).toBe(2)
      await ask(Lock.method.unlock, { key: first.key })
      expect(keyOf((await third).key)).toMatch(/^l\/[0-9a-f]+$/)
    })

    it('passes on when the lease of its holder has ended, and is the holder’s already who holds it', async () => {
      const { ID } = await ask(Lease.method.leaseGrant, { TTL: 10n })
      const first = await ask(Lock.method.lock, { name: bytes('l'), lease: ID })
      expect(keyOf((await ask(Lock.method.lock, { name: bytes('l'), lease: ID })).key)).toBe(keyOf(first.key))
      const second = ask(Lock.method.lock, { name: bytes('l') })
      await expect.poll(async () => (await store.range(ALL)).count).toBe(2)
      await clock.advance(11_000)
      expect(keyOf((await second).key)).not.toBe(keyOf(first.key))
    })
  })

  describe('Election', () => {
    it('elects who came first, tells who leads, and lets a leader proclaim and resign', async () => {
      const name = bytes('e')
      expect(await refusal(ask(Election.method.leader, { name }))).toBe('2 election: no leader')
      const observed = open(Election.method.observe)
      observed.send({ name })
      const { leader } = await ask(Election.method.campaign, { name, value: bytes('one') })
      const second = ask(Election.method.campaign, { name, value: bytes('two') })
      await expect.poll(async () => (await store.range(ALL)).count).toBe(2)
      await ask(Election.method.proclaim, { leader, value: bytes('one again') })
      expect(keyOf((await ask(Election.method.leader, { name })).kv?.value ?? bytes(''))).toBe('one again')
      await expect.poll(() => observed.messages.map(({ kv }) => keyOf(kv?.value ?? bytes('')))).toContain('one again')
      await ask(Election.method.resign, { leader })
      expect((await second).leader?.key).toEqual((await ask(Election.method.leader, { name })).kv?.key)
      await expect.poll(() => keyOf(observed.messages.at(-1)?.kv?.value ?? bytes(''))).toBe('two')
      expect(await refusal(ask(Election.method.proclaim, { leader, value: bytes('late') }))).toBe('2 election: not leader')
      expect(await refusal(ask(Election.method.resign, {}))).toBe('2 "leader" field must be provided')
      observed.cancel()
    })
  })

  it('answers in one and the same header: cluster, member, revision and term', async () => {
    await write(store, 'a', '1')
    const header = { clusterId: 0xffff_ffff_ffff_fff1n, memberId: 2n, revision: 2n, raftTerm: 1n }
    expect((await ask(KV.method.range, { key: bytes('a') })).header).toMatchObject(header)
    expect((await ask(Maintenance.method.status, {})).header).toMatchObject(header)
    expect((await ask(Cluster.method.memberList, {})).header).toMatchObject(header)
    expect((await ask(Lease.method.leaseLeases, {})).header).toMatchObject(header)
    expect((await ask(Auth.method.authStatus, {})).header).toMatchObject(header)
    expect((await ask(KV.method.deleteRange, { key: bytes('none') })).header).toMatchObject(header)
    expect((await ask(KV.method.put, { key: bytes('a') })).header).toMatchObject({ ...header, revision: 3n })
  })

  it('refuses in etcd’s words and with its codes', async () => {
    const a = bytes('a')
    const putOp = { request: { case: 'requestPut' as const, value: { key: a } } }
    const deleteAll = { request: { case: 'requestDeleteRange' as const, value: { key: bytes('\0'), rangeEnd: bytes('\0') } } }
    expect([
      await refusal(ask(KV.method.range, {})),
      await refusal(ask(KV.method.put, {})),
      await refusal(ask(KV.method.deleteRange, {})),
      await refusal(ask(KV.method.put, { key: a, value: a, ignoreValue: true })),
      await refusal(ask(KV.method.put, { key: a, lease: 1n, ignoreLease: true })),
      await refusal(ask(KV.method.put, { key: a, ignoreValue: true })),
      await refusal(ask(KV.method.put, { key: a, lease: 1n })),
      await refusal(ask(KV.method.txn, { success: [putOp, deleteAll] })),
      await refusal(ask(KV.method.txn, { success: [{}] })),
      await refusal(ask(KV.method.txn, { compare: [{}] })),
      await refusal(ask(KV.method.range, { key: a, sortOrder: 9 as 0 })),
      await refusal(ask(KV.method.range, { key: a, revision: 99n })),
      await refusal(ask(Maintenance.method.moveLeader, {})),
      await refusal(ask(Maintenance.method.downgrade, {})),
      await refusal(ask(Maintenance.method.downgrade, { action: 2 })),
      await refusal(ask(Cluster.method.memberPromote, { ID: 2n })),
      await refusal(ask(Auth.method.authenticate, {})),
    ]).toEqual([
      '3 etcdserver: key is not provided',
      '3 etcdserver: key is not provided',
      '3 etcdserver: key is not provided',
      '3 etcdserver: value is provided',
      '3 etcdserver: lease is provided',
      '3 etcdserver: key not found',
      '5 etcdserver: requested lease not found',
      '3 etcdserver: duplicate key given in txn request',
      '3 etcdserver: key not found',
      '3 etcdserver: key is not provided',
      '3 etcdserver: invalid sort option',
      '11 etcdserver: mvcc: required revision is a future revision',
      '9 etcdserver: bad leader transferee',
      '3 etcdserver: invalid downgrade target version',
      '9 etcdserver: no inflight downgrade job',
      '9 etcdserver: can only promote a learner member',
      '9 etcdserver: authentication is not enabled',
    ])
  })

  it('is healthy for gRPC, and knows of the health of no single service', async () => {
    expect((await ask(Health.method.check, {})).status).toBe(1)
    expect(await refusal(ask(Health.method.check, { service: 'other' }))).toBe('5 unknown service')
  })
})
