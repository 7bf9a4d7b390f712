import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { configMap, pod, secret } from '../../api/kinds.gen.ts'
import { FakeClock } from '../../base/fake-clock.ts'
import { silentLogger } from '../../base/logger.ts'
import { seededRandom } from '../../base/random.ts'
import { failure } from '../../machinery/status.ts'
import { startTestServer, type TestServer } from '../testing/harness.ts'
import { send } from '../testing/raw.ts'
import { Audit } from './audit.ts'
import { Losses } from './backend.ts'
import { parsePolicy } from './policy-file.ts'

type Event = Record<string, unknown> & { stage: string; objectRef?: Record<string, string> }

let test: TestServer
let lines: string[]
let auditor: Audit
const events = () => lines.map((line) => JSON.parse(line) as Event)
const completed = () => events().filter(({ stage }) => stage === 'ResponseComplete')

async function start(policy: string, more: Parameters<typeof startTestServer>[0] = {}): Promise<TestServer> {
  const clock = new FakeClock()
  const backend = { name: 'log', write: (line: string) => void lines.push(line), async [Symbol.asyncDispose]() {} }
  auditor = new Audit({
    policy: parsePolicy(`apiVersion: audit.k8s.io/v1\nkind: Policy\n${policy}`, 'policy'),
    backends: [backend],
    losses: new Losses(silentLogger),
    clock,
    random: seededRandom(1),
  })
  test = await startTestServer({ clock, auditor, metrics: [auditor.metrics], ...more })
  lines = []
  return test
}

beforeEach(() => {
  lines = []
})
afterEach(() => test.stop())

const CREATE = '/api/v1/namespaces/default/configmaps'
const body = { apiVersion: 'v1', kind: 'ConfigMap', metadata: { name: 'a' }, data: { k: 'v' } }

describe('the level', () => {
  it('Metadata tells who did what to which object, with what outcome', async () => {
    await start('rules: [{ level: Metadata }]')
    await send(test.client, 'POST', `${CREATE}?fieldManager=me`, body, { 'user-agent': 'kubectl/1', 'audit-id': 'abc' })
    expect(events().map(({ stage }) => stage)).toEqual(['RequestReceived', 'ResponseComplete'])
    expect(completed()[0]).toEqual({
      kind: 'Event',
      apiVersion: 'audit.k8s.io/v1',
      level: 'Metadata',
      auditID: 'abc',
      stage: 'ResponseComplete',
      requestURI: `${CREATE}?fieldManager=me`,
      verb: 'create',
      user: { username: 'admin', groups: ['system:masters', 'system:authenticated'] },
      userAgent: 'kubectl/1',
      objectRef: { resource: 'configmaps', namespace: 'default', name: 'a', apiVersion: 'v1' },
      responseStatus: { metadata: {}, code: 201 },
      requestReceivedTimestamp: expect.stringMatching(/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{6}Z$/) as string,
      stageTimestamp: expect.any(String) as string,
      annotations: { 'authorization.k8s.io/decision': 'allow', 'authorization.k8s.io/reason': '' },
    })
  })

  it('Request adds what was sent, and RequestResponse what was answered', async () => {
    await start('rules: [{ level: Request, verbs: [create] }, { level: RequestResponse }]')
    await send(test.client, 'POST', CREATE, body)
    const [created] = completed()
    expect(created?.['requestObject']).toMatchObject({ kind: 'ConfigMap', metadata: { name: 'a' }, data: { k: 'v' } })
    expect(created).not.toHaveProperty('responseObject')
    lines = []
    await send(test.client, 'PATCH', `${CREATE}/a`, { data: { k: 'w' } }, { 'content-type': 'application/merge-patch+json' })
    await send(test.client, 'GET', CREATE)
    await send(test.client, 'DELETE', `${CREATE}/a`, { propagationPolicy: 'Background' })
    const [patched, listed, deleted] = completed()
    expect(patched?.['requestObject']).toEqual({ data: { k: 'w' } })
    expect(patched?.['responseObject']).toMatchObject({ data: { k: 'w' }, metadata: { managedFields: [expect.anything()] } })
    expect(listed?.['responseObject']).toMatchObject({ kind: 'ConfigMapList' })
    expect(deleted?.['requestObject']).toMatchObject({ kind: 'DeleteOptions', propagationPolicy: 'Background' })
    expect(deleted?.['responseStatus']).toMatchObject({ status: 'Success', code: 200, details: { name: 'a' } })
  })

  it('None keeps secrets out of the log, whoever reads them', async () => {
    await start('rules: [{ level: None, resources: [{ group: "", resources: [secrets] }] }, { level: RequestResponse }]')
    await test.client.create(secret, { metadata: { name: 's', namespace: 'default' }, stringData: { password: 'open sesame' } })
    await send(test.client, 'GET', '/api/v1/secrets')
    expect(lines).toEqual([])
  })
})

describe('an event', () => {
  it('leaves out stages and managed fields that the policy leaves out', async () => {
    await start('omitStages: [RequestReceived]\nomitManagedFields: true\nrules: [{ level: RequestResponse }]')
    await test.client.create(configMap, { metadata: { name: 'a', namespace: 'default' } })
    await send(test.client, 'GET', `${CREATE}/a`)
    await send(test.client, 'GET', CREATE)
    expect(events().map(({ stage }) => stage)).toEqual(['ResponseComplete', 'ResponseComplete', 'ResponseComplete'])
    expect(lines.join()).not.toContain('managedFields')
    expect(completed()[2]?.['responseObject']).toMatchObject({ items: expect.any(Array) as unknown[] })
  })

  it('says why a request was refused', async () => {
    const authorize = async () => ({ allowed: false, reason: 'not today' })
    await start('rules: [{ level: Metadata }]', { authorize })
    await send(test.client, 'GET', `${CREATE}/a`)
    const [refused] = completed()
    expect(refused?.['annotations']).toEqual({ 'authorization.k8s.io/decision': 'forbid', 'authorization.k8s.io/reason': 'not today' })
    expect(refused?.['responseStatus']).toMatchObject({ status: 'Failure', reason: 'Forbidden', code: 403 })
  })

  it('names the user as whom another acts', async () => {
    await start('rules: [{ level: Metadata }]', { impersonate: async () => ({ name: 'ada', groups: ['staff'] }) })
    await send(test.client, 'GET', `${CREATE}/a`, undefined, { 'impersonate-user': 'ada' })
    expect(completed()[0]).toMatchObject({ user: { username: 'admin' }, impersonatedUser: { username: 'ada', groups: ['staff'] } })
  })

  it('has what proxies say of the source', async () => {
    await start('rules: [{ level: Metadata }]')
    await send(test.client, 'GET', '/version', undefined, { 'x-forwarded-for': '10.0.0.1, 10.0.0.2', 'x-real-ip': '10.0.0.1' })
    expect(completed()[0]).toMatchObject({ sourceIPs: ['10.0.0.1', '10.0.0.2'], requestURI: '/version', verb: 'get' })
    expect(completed()[0]).not.toHaveProperty('objectRef')
  })

  it('has the stage Panic where the server broke', async () => {
    const broken = () => Promise.reject(new TypeError('undefined is not a function'))
    await start('rules: [{ level: Metadata }]', {
      handlers: { '/broken': broken, '/missing': () => Promise.reject(failure(404, 'NotFound', 'no')) },
    })
    await send(test.client, 'GET', '/broken')
    await send(test.client, 'GET', '/missing')
    expect(events().map(({ stage }) => stage)).toEqual(['RequestReceived', 'Panic', 'RequestReceived', 'ResponseComplete'])
    expect(events()[1]?.['responseStatus']).toMatchObject({ code: 500, message: "APIServer panic'd: undefined is not a function" })
  })

  it('is made of credentials that do not hold, and of paths that cannot be', async () => {
    await start('rules: [{ level: Metadata }]')
    const origin = { auditId: 'a1', target: '/api/v1/pods%zz?limit=1', address: '::ffff:10.0.0.9' }
    const headers = { authorization: 'Bearer nonsense', 'user-agent': 'curl' }
    auditor.unauthenticated({ method: 'GET', target: origin.target, headers, origin })
    expect(events()).toMatchObject([
      {
        stage: 'ResponseStarted',
        user: {},
        sourceIPs: ['10.0.0.9'],
        requestURI: '/api/v1/pods%zz?limit=1',
        responseStatus: { code: 401, reason: 'Unauthorized', message: 'Authentication failed, attempted: bearer' },
      },
    ])
  })

  it('leaves out an answer that is not what its type says', async () => {
    const wrong = async () => ({ status: 400, headers: { 'content-type': 'application/json' }, body: Buffer.from('{"kind":') })
    await start('rules: [{ level: RequestResponse, nonResourceURLs: [/wrong] }]', { handlers: { '/wrong': wrong } })
    expect((await send(test.client, 'GET', '/wrong')).status).toBe(400)
    expect(completed()[0]).toMatchObject({ responseStatus: { code: 400 } })
  })

  it('of a watch comes when it begins and when it ends', async () => {
    await start('rules: [{ level: Metadata, verbs: [watch] }]')
    const whole = ['RequestReceived', 'ResponseStarted', 'ResponseComplete']
    const gone = new AbortController()
    await test.client.request({ method: 'GET', path: '/api/v1/pods', query: { watch: 'true' }, signal: gone.signal })
    expect(events().map(({ stage }) => stage)).toEqual(whole.slice(0, 2))
    gone.abort()
    expect(events().map(({ stage }) => stage)).toEqual(whole)
    const stop = new AbortController()
    const watch = test.client.watch(pod, { signal: stop.signal, onOpen: () => stop.abort() })
    await expect(watch[Symbol.asyncIterator]().next()).rejects.toThrow()
    expect(events().map(({ stage }) => stage)).toEqual([...whole, ...whole])
  })

  it('of a connection to a pod comes when it begins and when it ends', async () => {
    const socket = { protocol: 'v5.channel.k8s.io', messages: [] as never, send: async () => {}, async [Symbol.asyncDispose]() {} }
    const connector = { open: async () => socket, answer: () => Promise.reject(new Error('no')), upgrade: async () => {} }
    await start('rules: [{ level: Metadata, resources: [{ group: "", resources: [pods/exec] }] }]', {
      connectors: { 'pods/exec': connector },
    })
    const path = '/api/v1/namespaces/default/pods/p/exec'
    const connected = await test.client.websocket({ path, query: { command: 'sh' }, protocols: [socket.protocol] })
    expect(events().map(({ stage }) => stage)).toEqual(['RequestReceived', 'ResponseStarted'])
    await connected[Symbol.asyncDispose]()
    expect(completed()[0]).toMatchObject({
      requestURI: `${path}?command=sh`,
      objectRef: { resource: 'pods', subresource: 'exec', name: 'p' },
      responseStatus: { code: 101 },
    })
    const { text } = await send(test.client, 'GET', '/metrics')
    expect(text).toContain(
      'apiserver_request_total{verb="CONNECT",group="",version="v1",resource="pods",subresource="exec",scope="resource",code="101"} 1',
    )
  })

  it('is made of calls in this process too', async () => {
    await start('omitStages: [RequestReceived]\nrules: [{ level: RequestResponse }]')
    await test.client.create(configMap, { metadata: { name: 'a', namespace: 'default' }, data: { k: 'v' } })
    await expect(test.client.get(configMap, { name: 'none', namespace: 'default' })).rejects.toThrow()
    const [made, missed] = events()
    expect(made).toMatchObject({
      verb: 'create',
      requestObject: { data: { k: 'v' } },
      responseObject: { data: { k: 'v' } },
      responseStatus: { code: 201 },
    })
    expect(missed).toMatchObject({ verb: 'get', objectRef: { name: 'none' }, responseStatus: { code: 404, reason: 'NotFound' } })
  })
})

it('is counted in the metrics', async () => {
  await start('rules: [{ level: None, nonResourceURLs: [/metrics] }, { level: Metadata }]')
  await send(test.client, 'GET', '/version')
  const { text } = await send(test.client, 'GET', '/metrics')
  expect(text).toMatch(/^apiserver_audit_event_total [1-9]/m)
  expect(text).toContain('apiserver_audit_error_total{plugin="log"} 0')
  expect(text).toContain('apiserver_audit_level_total{level="None"} 1')
})
