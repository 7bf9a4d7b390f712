import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { FakeClock } from '../../base/fake-clock.ts'
import { systemClock } from '../../base/clock.ts'
import { silentLogger as logger } from '../../base/logger.ts'
import { seededRandom } from '../../base/random.ts'
import { node as nodeKind } from '../../api/core/v1/node.ts'
import { createApiServer } from '../../apiserver/apiserver.ts'
import type { Client } from '../../client/client.ts'
import { createInformers } from '../../client/informers.ts'
import { faultyClient, type Faults } from '../../client/testing/faulty-client.ts'
import { createMemoryStore } from '../../store/memory/memory-store.ts'
import { conditionOf, createNodeCondition } from './node-condition.ts'
import { Problems, type Problem } from './problem.ts'

const LESSER: Problem = { reason: 'RouteFailed', message: 'no way to node-2', blocking: false }
const BLOCKING: Problem = { reason: 'BridgeFailed', message: 'no bridge', blocking: true }
const random = seededRandom(3)

describe('the condition', () => {
  it('is false while nothing is wrong, and while pods have a network', () => {
    expect(conditionOf([])).toMatchObject({ status: 'False', reason: 'NetworkIsUp' })
    expect(conditionOf([LESSER])).toEqual({ status: 'False', reason: 'RouteFailed', message: 'no way to node-2' })
  })

  it('has the reason of what is worst, and tells of all', () => {
    expect(conditionOf([LESSER, BLOCKING])).toEqual({ status: 'True', reason: 'BridgeFailed', message: 'no way to node-2\nno bridge' })
  })
})

describe('on the Node', () => {
  let stack: AsyncDisposableStack
  let client: Client
  let clock: FakeClock
  let problems: Problems
  const faults: Faults = {}

  beforeEach(async () => {
    stack = new AsyncDisposableStack()
    clock = new FakeClock()
    problems = new Problems(logger)
    const store = stack.use(createMemoryStore({ clock: systemClock, random }))
    const server = stack.use(createApiServer({ store, clock: systemClock, random, logger }))
    server.use({ authorize: async () => ({ allowed: true, reason: '' }) })
    await server.start()
    client = server.clientFor({ name: 'admin', groups: ['system:masters', 'system:authenticated'] })
    await client.create(nodeKind, { metadata: { name: 'node-1' } })
    const informers = stack.use(createInformers(client, { clock: systemClock, logger, random }))
    const own = faultyClient(client, faults, random)
    await stack.use(createNodeCondition({ nodeName: 'node-1', problems, client: own, informers, clock, logger })).start()
    await informers.start()
  })
  afterEach(() => stack.disposeAsync())

  const condition = async () => {
    const { status } = await client.get(nodeKind, { name: 'node-1' })
    return status.conditions?.find(({ type }) => type === 'NetworkUnavailable')
  }
  /** Moves time on until the condition is as wanted. */
  const becomes = (wanted: object) =>
    expect
      .poll(async () => {
        await clock.advance(1000)
        return condition()
      })
      .toMatchObject(wanted)

  it('says that the network is up, then what is wrong, then that it is over', async () => {
    await becomes({ status: 'False', reason: 'NetworkIsUp' })
    problems.set('bridge', BLOCKING)
    await becomes({ status: 'True', reason: 'BridgeFailed' })
    problems.set('bridge', null)
    await becomes({ status: 'False', reason: 'NetworkIsUp' })
  })

  it('does not tell of what passes within a moment', async () => {
    problems.set('bridge', BLOCKING)
    problems.set('bridge', null)
    await becomes({ status: 'False' })
    const { metadata } = await client.get(nodeKind, { name: 'node-1' })
    problems.set('bridge', BLOCKING)
    problems.set('bridge', null)
    await clock.advance(5000)
    expect((await client.get(nodeKind, { name: 'node-1' })).metadata.resourceVersion).toBe(metadata.resourceVersion)
  })

  it('keeps the time of the last change of its status', async () => {
    problems.set('bridge', BLOCKING)
    await becomes({ status: 'True' })
    const before = (await condition())?.lastTransitionTime
    await clock.advance(60_000)
    problems.set('bridge', { ...BLOCKING, message: 'still no bridge' })
    await becomes({ message: 'still no bridge' })
    expect((await condition())?.lastTransitionTime).toBe(before)
  })

  it('tells again when the API server did not hear it, and when somebody else took it away', async () => {
    faults.unavailable = 1
    await clock.advance(5000)
    expect(await condition()).toBeUndefined()
    faults.unavailable = 0
    await becomes({ status: 'False' })
    const patch = { type: 'merge', body: { status: { conditions: [] } } } as const
    await client.patch(nodeKind, { name: 'node-1' }, patch, { subresource: 'status' })
    await becomes({ status: 'False' })
  })

  it('leaves the other conditions alone', async () => {
    const ready = { type: 'Ready', status: 'True', reason: 'KubeletReady', message: '' }
    await client.patch(
      nodeKind,
      { name: 'node-1' },
      { type: 'strategic', body: { status: { conditions: [ready] } } },
      { subresource: 'status' },
    )
    await becomes({ status: 'False' })
    const { status } = await client.get(nodeKind, { name: 'node-1' })
    expect(status.conditions?.map(({ type }) => type).toSorted()).toEqual(['NetworkUnavailable', 'Ready'])
  })
})
