import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { node as nodeKind } from '../../api/core/v1/node.ts'
import { secret as secretKind } from '../../api/core/v1/secret.ts'
import { machine as machineKind } from '../../api/infra/v1alpha1/machine.ts'
import { startTestServer, type TestServer } from '../../apiserver/testing/harness.ts'
import { settle } from '../../base/fake-clock.ts'
import { silentLogger } from '../../base/logger.ts'
import { seededRandom } from '../../base/random.ts'
import { faultyClient, type Faults } from '../../client/testing/faulty-client.ts'
import { createInformers } from '../../client/informers.ts'
import { createBootstrapToken, deleteBootstrapToken, deleteNode, untilNodeReady } from './join.ts'
import { StatusWriter } from './status-writer.ts'

let server: TestServer
beforeEach(async () => {
  server = await startTestServer()
})
afterEach(() => server[Symbol.asyncDispose]())

const makeMachine = () =>
  server.client.create(machineKind, {
    apiVersion: 'infra.flotilla.dev/v1alpha1',
    kind: 'Machine',
    metadata: { name: 'moth' },
    spec: { provider: 'sandbox' },
  })
const status = async () => (await server.client.get(machineKind, { name: 'moth' })).status

describe('StatusWriter', () => {
  const writer = (faults: Faults = {}) =>
    new StatusWriter({
      client: faultyClient(server.client, faults, seededRandom(1)),
      kind: machineKind,
      name: 'moth',
      clock: server.clock,
      logger: silentLogger,
    })

  it('writes the first change at once and the newest of many soon after, without losing a field', async () => {
    await makeMachine()
    const out = writer()
    out.set({ phase: 'Provisioning' })
    for (let i = 0; i < 100; i++) out.set({ steps: [{ name: 'runtime', title: 'Copy', state: 'running', detail: `${i}` }] })
    out.set({ address: '10.0.0.7' })
    await settle()
    expect(await status()).toMatchObject({ phase: 'Provisioning' })
    const before = (await server.client.get(machineKind, { name: 'moth' })).metadata.resourceVersion
    await server.clock.advance(300)
    await out.flush()
    const after = await server.client.get(machineKind, { name: 'moth' })
    expect(after.status).toMatchObject({ phase: 'Provisioning', address: '10.0.0.7', steps: [{ detail: '99' }] })
    expect(Number(after.metadata.resourceVersion) - Number(before)).toBe(1)
  })

  it('takes away what is null', async () => {
    await makeMachine()
    const out = writer()
    out.set({ failure: { code: 'X', step: 'a', what: 'b', why: 'c', next: 'd' } })
    await out.flush()
    out.set({ failure: null })
    await out.flush()
    expect(await status()).not.toHaveProperty('failure')
  })

  it('keeps what could not be written until the server is back, under what came later', async () => {
    await makeMachine()
    const faults: Faults = { partitioned: true }
    const out = writer(faults)
    out.set({ phase: 'Provisioning', address: 'old' })
    await settle()
    out.set({ address: 'new' })
    faults.partitioned = false
    await server.clock.advance(2000)
    await out.flush()
    expect(await status()).toMatchObject({ phase: 'Provisioning', address: 'new' })
  })

  it('ends when the machine is gone', async () => {
    const out = writer()
    out.set({ phase: 'Ready' })
    await out.flush()
    out.set({ phase: 'Failed' })
    await out.flush()
  })
})

describe('a bootstrap token', () => {
  it('is a Secret that the API server takes for an hour, and goes', async () => {
    const token = await createBootstrapToken(server.client, 'moth', { clock: server.clock, random: seededRandom(1) })
    expect(token).toMatch(/^[a-z0-9]{6}\.[a-z0-9]{16}$/)
    const [id = '', password] = token.split('.')
    const made = await server.client.get(secretKind, { namespace: 'kube-system', name: `bootstrap-token-${id}` })
    const data = Object.fromEntries(Object.entries(made.data ?? {}).map(([key, value]) => [key, Buffer.from(value, 'base64').toString()]))
    expect(made.type).toBe('bootstrap.kubernetes.io/token')
    expect(data).toMatchObject({
      'token-id': id,
      'token-secret': password,
      'usage-bootstrap-authentication': 'true',
      expiration: '2026-01-01T01:00:00Z',
    })
    await deleteBootstrapToken(server.client, token)
    await deleteBootstrapToken(server.client, token)
    expect((await server.client.list(secretKind, { namespace: 'kube-system' })).items).toEqual([])
  })
})

describe('untilNodeReady', () => {
  const setup = async () => {
    const informers = createInformers(server.client, { clock: server.clock, logger: silentLogger })
    const nodes = informers.for(nodeKind)
    await informers.start()
    const details: string[] = []
    const abort = new AbortController()
    const since = server.clock.now()
    const options = {
      clock: server.clock,
      signal: abort.signal,
      detail: (text: string) => details.push(text),
      agentLog: async () => 'no shoes',
      since,
    }
    return { informers, nodes, details, abort, options }
  }
  const setReady = (ready: boolean, message = '') => {
    const now = new Date(server.clock.now()).toISOString().replace(/\.\d+Z/, 'Z')
    const condition = {
      type: 'Ready',
      status: ready ? 'True' : 'False',
      reason: 'X',
      message,
      lastHeartbeatTime: now,
      lastTransitionTime: now,
    }
    return server.client.patch(
      nodeKind,
      { name: 'moth' },
      { type: 'merge', body: { status: { conditions: [condition] } } },
      { subresource: 'status' },
    )
  }
  const makeNode = () => server.client.create(nodeKind, { apiVersion: 'v1', kind: 'Node', metadata: { name: 'moth' } })

  it('follows the node from its sign-in until it is Ready', async () => {
    const { informers, nodes, details, options } = await setup()
    const ready = untilNodeReady(nodes, 'moth', options)
    await settle()
    await makeNode()
    await settle()
    await setReady(false, 'the network is not ready')
    await settle()
    await setReady(true)
    await ready
    expect([...new Set(details)]).toEqual([
      'waiting for the agent to sign in',
      'the node is there',
      'the node is there: the network is not ready',
      'the node is Ready',
    ])
    await informers[Symbol.asyncDispose]()
  })

  it('does not take the Ready of an earlier life for an answer', async () => {
    await makeNode()
    await setReady(true)
    await server.clock.advance(60_000)
    const { informers, nodes, options } = await setup()
    let done = false
    const ready = untilNodeReady(nodes, 'moth', options).then(() => (done = true))
    await settle()
    expect(done).toBe(false)
    await server.clock.advance(1000)
    await setReady(true)
    await ready
    await informers[Symbol.asyncDispose]()
  })

  it("gives up after three minutes with the agent's last words, and at once when it is cancelled", async () => {
    const { informers, nodes, options, abort } = await setup()
    const failing = expect(untilNodeReady(nodes, 'moth', options)).rejects.toMatchObject({
      code: 'JOIN_TIMEOUT',
      why: 'Its agent did not sign in. The agent printed last: no shoes',
    })
    await server.clock.advance(180_000)
    await failing
    const cancelled = expect(untilNodeReady(nodes, 'moth', options)).rejects.toThrow('enough')
    abort.abort(new Error('enough'))
    await cancelled
    await informers[Symbol.asyncDispose]()
  })

  it('leaves no node behind, and none is no error', async () => {
    await makeNode()
    await deleteNode(server.client, 'moth')
    await deleteNode(server.client, 'moth')
    expect((await server.client.list(nodeKind)).items).toEqual([])
  })
})
