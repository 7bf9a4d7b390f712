import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { flowSchema, priorityLevelConfiguration } from '../../api/kinds.gen.ts'
import { AUTOUPDATE } from '../../api/flowcontrol/v1/defaults.ts'
import { silentLogger } from '../../base/logger.ts'
import { startTestServer, type TestServer } from '../testing/harness.ts'
import { send } from '../testing/raw.ts'
import type { ApiResponse, FlowGate, UserInfo } from '../types.ts'
import { createFlowControl, type FlowControl } from './flow-control.ts'

let test: TestServer
let flow: FlowControl
let release: () => void
beforeEach(async () => {
  const held = Promise.withResolvers<void>()
  release = held.resolve
  const gate: FlowGate = { enter: (request, info) => flow.enter(request, info) }
  const slow = async () => {
    await held.promise
    return { status: 200, headers: {}, body: Buffer.from('done') }
  }
  test = await startTestServer({ gate, handlers: { '/slow': slow } })
  flow = await started()
})
afterEach(async () => {
  await flow[Symbol.asyncDispose]()
  await test.stop()
})

async function started(): Promise<FlowControl> {
  const { client, clock, server } = test
  const made = createFlowControl({ client, clock, logger: silentLogger, count: (info) => server.count(info) })
  await made.start()
  await clock.advance(100)
  return made
}

const ADA: UserInfo = { name: 'ada', groups: ['system:authenticated'] }
const asked = (user: UserInfo, path: string, method = 'GET'): Promise<ApiResponse> => {
  const origin = { auditId: 'a', target: path, address: '127.0.0.1' }
  const signal = new AbortController().signal
  return test.server.handle({
    method,
    path,
    query: new URLSearchParams(),
    headers: {},
    body: async () => Buffer.of(),
    user,
    signal,
    origin,
  })
}
const level = (name: string) => test.client.get(priorityLevelConfiguration, { name })
const schema = (name: string) => test.client.get(flowSchema, { name })
const minute = () => test.clock.advance(60_100)

/** Everything of this user goes by a level of its own. */
async function lane(name: string, limitResponse: object, user = 'ada'): Promise<void> {
  await test.client.create(priorityLevelConfiguration, {
    metadata: { name },
    spec: { type: 'Limited', limited: { nominalConcurrencyShares: 1, borrowingLimitPercent: 0, limitResponse } },
  })
  const subjects = [{ kind: 'User', user: { name: user } }]
  const nonResourceRules = [{ verbs: ['*'], nonResourceURLs: ['/slow'] }]
  await test.client.create(flowSchema, {
    metadata: { name },
    spec: { priorityLevelConfiguration: { name }, matchingPrecedence: 10, rules: [{ subjects, nonResourceRules }] },
  })
  await test.clock.advance(100)
}

describe('the objects of flow control', () => {
  it('are there from the start, and say that their levels are', async () => {
    const [levels, schemas] = [await test.client.list(priorityLevelConfiguration), await test.client.list(flowSchema)]
    expect([levels.items.length, schemas.items.length]).toEqual([8, 13])
    expect(schemas.items.map(({ metadata }) => metadata.annotations?.[AUTOUPDATE])).toEqual(schemas.items.map(() => 'true'))
    await expect
      .poll(async () => (await schema('probes')).status.conditions)
      .toMatchObject([{ type: 'Dangling', status: 'False', reason: 'Found' }])
  })

  it('come back when they are deleted, and their specs while nobody has taken them over', async () => {
    await test.client.delete(flowSchema, { name: 'global-default' })
    await test.client.delete(priorityLevelConfiguration, { name: 'exempt' })
    await test.client.patch(flowSchema, { name: 'probes' }, { type: 'merge', body: { spec: { matchingPrecedence: 77 } } })
    const mine = { metadata: { annotations: { [AUTOUPDATE]: 'false' } }, spec: { matchingPrecedence: 78 } }
    await test.client.patch(flowSchema, { name: 'system-nodes' }, { type: 'merge', body: mine })
    const unmarked = { metadata: { annotations: { [AUTOUPDATE]: null } }, spec: { matchingPrecedence: 79 } }
    await test.client.patch(flowSchema, { name: 'service-accounts' }, { type: 'merge', body: unmarked })
    await minute()
    await expect.poll(async () => (await schema('probes')).spec.matchingPrecedence).toBe(2)
    expect((await schema('global-default')).spec.matchingPrecedence).toBe(9900)
    expect((await level('exempt')).spec.type).toBe('Exempt')
    expect((await schema('system-nodes')).spec.matchingPrecedence).toBe(78)
    const kept = await schema('service-accounts')
    expect([kept.spec.matchingPrecedence, kept.metadata.annotations?.[AUTOUPDATE]]).toEqual([79, 'false'])
  })

  it('of an earlier version go', async () => {
    const rules = [{ subjects: [{ kind: 'User', user: { name: 'u' } }], nonResourceRules: [{ verbs: ['*'], nonResourceURLs: ['*'] }] }]
    const spec = { priorityLevelConfiguration: { name: 'system' }, rules }
    await test.client.create(flowSchema, { metadata: { name: 'old', annotations: { [AUTOUPDATE]: 'true' } }, spec })
    await test.client.create(flowSchema, { metadata: { name: 'own' }, spec })
    await minute()
    await expect.poll(async () => (await test.client.list(flowSchema)).items.map(({ metadata }) => metadata.name)).not.toContain('old')
    expect((await schema('own')).metadata.name).toBe('own')
  })

  it('leave the weight of the exempt level to its owner', async () => {
    await test.client.patch(
      priorityLevelConfiguration,
      { name: 'exempt' },
      { type: 'merge', body: { spec: { exempt: { nominalConcurrencyShares: 10 } } } },
    )
    await minute()
    expect((await level('exempt')).spec.exempt).toEqual({ nominalConcurrencyShares: 10, lendablePercent: 0 })
  })

  it('say of a schema that its level is missing, and of that it leads to the next', async () => {
    await lane('own', { type: 'Reject' })
    await test.client.delete(priorityLevelConfiguration, { name: 'own' })
    await test.clock.advance(100)
    await expect
      .poll(async () => (await schema('own')).status.conditions)
      .toMatchObject([{ type: 'Dangling', status: 'True', reason: 'NotFound' }])
    const { headers } = await asked(ADA, '/version')
    expect(headers['x-kubernetes-pf-flowschema-uid']).toBe((await schema('global-default')).metadata.uid)
  })
})

describe('a request', () => {
  it('is told by which schema and level it went', async () => {
    const { headers } = await asked(ADA, '/version')
    expect(headers).toMatchObject({
      'x-kubernetes-pf-flowschema-uid': (await schema('global-default')).metadata.uid,
      'x-kubernetes-pf-prioritylevel-uid': (await level('global-default')).metadata.uid,
    })
  })

  it('that finds no seat is refused with 429, while others go on', async () => {
    await lane('own', { type: 'Reject' })
    const limit = Math.ceil(600 / 246)
    const served = Array.from({ length: limit }, () => asked(ADA, '/slow'))
    const refused = await asked(ADA, '/slow')
    expect([refused.status, refused.headers['retry-after']]).toEqual([429, '1'])
    expect(JSON.parse(Buffer.from(refused.body as Uint8Array).toString())).toMatchObject({
      reason: 'TooManyRequests',
      details: { retryAfterSeconds: 1 },
    })
    expect(refused.headers['x-kubernetes-pf-flowschema-uid']).toBe((await schema('own')).metadata.uid)
    expect((await asked({ name: 'bob', groups: ['system:authenticated'] }, '/version')).status).toBe(200)
    expect((await asked(ADA, '/version')).status).toBe(200)
    release()
    expect((await Promise.all(served)).map(({ status }) => status)).toEqual(served.map(() => 200))
  })

  it('waits in a queue for its turn, and no longer than a while', async () => {
    await lane('own', { type: 'Queue', queuing: { queues: 1, handSize: 1, queueLengthLimit: 2 } })
    const all = Array.from({ length: 6 }, () => asked(ADA, '/slow'))
    expect((await all[5])?.status).toBe(429)
    await test.clock.advance(15_000)
    expect([(await all[3])?.status, (await all[4])?.status]).toEqual([429, 429])
    const late = asked(ADA, '/slow')
    release()
    expect((await late).status).toBe(200)
  })

  it('of this process is not limited', async () => {
    await lane('own', { type: 'Reject' }, 'admin')
    const own = Array.from({ length: 20 }, () => send(test.client, 'GET', '/slow'))
    release()
    expect((await Promise.all(own)).map(({ status }) => status)).toEqual(own.map(() => 200))
  })

  it('is counted by schema and level', async () => {
    await lane('own', { type: 'Reject' })
    const all = Array.from({ length: 5 }, () => asked(ADA, '/slow'))
    await test.clock.advance(0)
    const families = new Map([...flow.metrics()].map(({ name, samples }) => [name, [...samples]]))
    const of = (name: string) => families.get(`apiserver_flowcontrol_${name}`)?.filter(([labels]) => labels['priority_level'] === 'own')
    expect(of('dispatched_requests_total')).toEqual([[{ flow_schema: 'own', priority_level: 'own' }, 3]])
    expect(of('rejected_requests_total')).toEqual([[{ flow_schema: 'own', priority_level: 'own', reason: 'concurrency-limit' }, 2]])
    expect(of('current_executing_seats')).toEqual([[{ flow_schema: 'own', priority_level: 'own' }, 3]])
    expect(of('nominal_limit_seats')).toEqual([[{ priority_level: 'own' }, 3]])
    release()
    await Promise.all(all)
  })

  it('that waits is seen at the debug paths', async () => {
    await lane('own', { type: 'Queue', queuing: { queues: 1, handSize: 1, queueLengthLimit: 2 } })
    const all = Array.from({ length: 4 }, () => asked(ADA, '/slow'))
    await test.clock.advance(0)
    const dump = async (what: string) => {
      const handler = flow.handlers[`/debug/api_priority_and_fairness/dump_${what}`]
      const response = await handler?.({ path: '' } as never)
      return Buffer.from(response?.body as Uint8Array).toString()
    }
    expect(await dump('priority_levels')).toMatch(/^own, +1, +false, +false, +1, +3, +3, +0, +0, +0$/m)
    expect(await dump('queues')).toMatch(/^own, +0, +1, +3, +4, /m)
    expect(await dump('requests')).toMatch(/^own, +0, +0, +0\.000$/m)
    release()
    await Promise.all(all)
  })
})
