import { describe, expect, it } from 'vitest'
import { event as eventKind } from '../api/core/v1/event.ts'
import { lease as leaseKind } from '../api/coordination/v1/lease.ts'
import { startTestServer, type TestServer } from '../apiserver/testing/harness.ts'
import { settle } from '../base/fake-clock.ts'
import { component } from '../base/lifecycle.ts'
import { silentLogger } from '../base/logger.ts'
import { randomInt, seededRandom } from '../base/random.ts'
import { elected } from './leader-election.ts'
import { faultyClient, type Faults } from './testing/faulty-client.ts'

const LEASE = { namespace: 'kube-system', name: 'work' }

describe('elected', () => {
  /** Who works at the moment, and who did beside another. */
  const contest = (server: TestServer) => {
    const working = new Set<string>()
    const together: string[][] = []
    const random = seededRandom(1)
    const candidate = (identity: string, faults: Faults = {}) => {
      const client = faultyClient(server.client, faults, random)
      const options = { client, lease: LEASE, identity, clock: server.clock, random, logger: silentLogger }
      return elected(options, () =>
        component(async (stack) => {
          working.add(identity)
          if (working.size > 1) together.push([...working])
          stack.defer(() => void working.delete(identity))
        }),
      )
    }
    return { working, together, candidate }
  }

  it('lets the first one work, and says so in the lease and an event', async () => {
    await using server = await startTestServer()
    const { working, candidate } = contest(server)
    await using a = candidate('a')
    await using b = candidate('b')
    await a.start()
    await b.start()
    await settle()
    expect([...working]).toEqual(['a'])
    const { spec } = await server.client.get(leaseKind, LEASE)
    expect(spec).toMatchObject({ holderIdentity: 'a', leaseDurationSeconds: 15, leaseTransitions: 0 })
    const { items } = await server.client.list(eventKind, { namespace: 'kube-system' })
    expect(items.map(({ reason, message }) => [reason, message])).toEqual([['LeaderElection', 'a became leader']])
    await server.clock.advance(60_000)
    expect([...working]).toEqual(['a'])
  })

  it('hands over at once when the holder stops', async () => {
    await using server = await startTestServer()
    const { working, candidate } = contest(server)
    const a = candidate('a')
    await using b = candidate('b')
    await a.start()
    await b.start()
    await a[Symbol.asyncDispose]()
    expect([...working]).toEqual([])
    await server.clock.advance(4400)
    expect([...working]).toEqual(['b'])
    expect((await server.client.get(leaseKind, LEASE)).spec.leaseTransitions).toBe(1)
  })

  it('stops a holder that cannot reach the server before another begins, and starts it again when its turn comes', async () => {
    await using server = await startTestServer()
    const { working, candidate } = contest(server)
    const faults: Faults = {}
    await using a = candidate('a', faults)
    const b = candidate('b')
    await a.start()
    await b.start()
    faults.partitioned = true
    await server.clock.advance(9000)
    expect([...working]).toEqual(['a'])
    await server.clock.advance(3000)
    expect([...working]).toEqual([])
    await server.clock.advance(10_000)
    expect([...working]).toEqual(['b'])
    faults.partitioned = false
    await server.clock.advance(30_000)
    expect([...working]).toEqual(['b'])
    await b[Symbol.asyncDispose]()
    await server.clock.advance(5000)
    expect([...working]).toEqual(['a'])
  })

  it('stops within seconds though nobody answers it any more', async () => {
    await using server = await startTestServer()
    const { working, candidate } = contest(server)
    const faults: Faults = {}
    const a = candidate('a', faults)
    await a.start()
    faults.silent = true
    await server.clock.advance(2500)
    let stopped = false
    const stopping = Promise.resolve(a[Symbol.asyncDispose]()).then(() => (stopped = true))
    await server.clock.advance(3900)
    expect(stopped).toBe(false)
    await server.clock.advance(200)
    expect([stopped, [...working]]).toEqual([true, []])
    await stopping
  })

  it('fails to start when the work does, and leaves the lease to others', async () => {
    await using server = await startTestServer()
    const { clock, client } = server
    const options = { client, lease: LEASE, identity: 'a', clock, random: seededRandom(1), logger: silentLogger }
    const broken = elected(options, () => component(() => Promise.reject(new Error('cannot'))))
    await expect(broken.start()).rejects.toThrow('cannot')
    expect((await client.get(leaseKind, LEASE)).spec.holderIdentity).toBe('')
  })

  it('tries again when the work cannot be started in a later turn', async () => {
    await using server = await startTestServer()
    const { clock, client } = server
    const faults: Faults = {}
    const options = { client: faultyClient(client, faults, seededRandom(1)), lease: LEASE, identity: 'a', clock, random: seededRandom(1) }
    let turns = 0
    await using part = elected({ ...options, logger: silentLogger }, () =>
      component(async () => {
        if (++turns === 2) throw new Error('not now')
      }),
    )
    await part.start()
    faults.partitioned = true
    await clock.advance(20_000)
    faults.partitioned = false
    await clock.advance(20_000)
    expect(turns).toBe(3)
  })

  it.each([1, 2, 3, 4, 5])('never has two at work, and always one in the end, through faults and partitions (seed %i)', async (seed) => {
    await using server = await startTestServer()
    const { working, together, candidate } = contest(server)
    const random = seededRandom(seed)
    const all = ['a', 'b', 'c'].map((identity) => {
      const faults: Faults = { unavailable: 0.1, lostAnswers: 0.1, conflicts: 0.1 }
      return { faults, part: candidate(identity, faults) }
    })
    const started = all.map(({ part }) => part.start())
    for (let i = 0; i < 100; i++) {
      const { faults } = all[randomInt(random, all.length)] as (typeof all)[number]
      if (random.float() < 0.3) faults.partitioned = !faults.partitioned
      await server.clock.advance(randomInt(random, 6000))
    }
    for (const { faults } of all) Object.assign(faults, { partitioned: false, unavailable: 0, lostAnswers: 0, conflicts: 0 })
    await server.clock.advance(60_000)
    await Promise.all(started)
    expect(together).toEqual([])
    expect(working.size).toBe(1)
    for (const { part } of all) await part[Symbol.asyncDispose]()
    expect(working.size).toBe(0)
  })
})
