/** API priority and fairness on a served API: kubectl as different users, a level that is full, and what the others notice of it. */
import { execFile } from 'node:child_process'
import { once } from 'node:events'
import { afterAll, afterEach, beforeAll, describe, expect, it, vi } from 'vitest'
import { clusterRole, clusterRoleBinding, flowSchema, priorityLevelConfiguration } from '../../electron/api/kinds.gen.ts'
import { http1, json, serve, session, type HttpAnswer, type Served } from './served.ts'

let served: Served
let release: () => void
let held: Promise<void>
const hold = () => {
  const { promise, resolve } = Promise.withResolvers<void>()
  held = promise
  release = resolve
}

beforeAll(async () => {
  hold()
  const slow = async () => {
    await held
    return { status: 200, headers: { 'content-type': 'text/plain' }, body: Buffer.from('done\n') }
  }
  served = await serve({}, { handlers: { '/slow': slow }, limits: { maxRequestsInflight: 40, maxMutatingRequestsInflight: 20 } })
  const roleRef = { apiGroup: 'rbac.authorization.k8s.io', kind: 'ClusterRole', name: 'reader' }
  const rules = [
    { verbs: ['get', 'list', 'watch'], apiGroups: [''], resources: ['configmaps'] },
    { verbs: ['get'], nonResourceURLs: ['/slow'] },
  ]
  await served.admin.create(clusterRole, { metadata: { name: 'reader' }, rules })
  const subjects = ['ada', 'bob', 'eve'].map((name) => ({ apiGroup: 'rbac.authorization.k8s.io', kind: 'User', name }))
  await served.admin.create(clusterRoleBinding, { metadata: { name: 'readers' }, roleRef, subjects })
  await lane('narrow', 'ada', { type: 'Queue', queuing: { queues: 1, handSize: 1, queueLengthLimit: 2 } })
  await lane('strict', 'eve', { type: 'Reject' })
})
afterEach(async () => {
  release()
  await vi.waitUntil(async () => (await metric('current_executing_requests', 'narrow')) === 0, { timeout: 30_000 })
  hold()
})
afterAll(() => served[Symbol.asyncDispose]())

/** All that a user does, at a level with one seat. */
async function lane(name: string, user: string, limitResponse: { type: string; queuing?: object }): Promise<void> {
  const limited = { nominalConcurrencyShares: 1, borrowingLimitPercent: 0, limitResponse }
  await served.admin.create(priorityLevelConfiguration, { metadata: { name }, spec: { type: 'Limited', limited } })
  const rule = {
    subjects: [{ kind: 'User', user: { name: user } }],
    resourceRules: [{ verbs: ['*'], apiGroups: ['*'], resources: ['*'], namespaces: ['*'], clusterScope: true }],
    nonResourceRules: [{ verbs: ['*'], nonResourceURLs: ['*'] }],
  }
  const { metadata } = await served.admin.create(flowSchema, {
    metadata: { name },
    spec: { priorityLevelConfiguration: { name }, matchingPrecedence: 50, rules: [rule] },
  })
  const uid = async () => (await as(user, '/api/v1/namespaces/default/configmaps')).headers['x-kubernetes-pf-flowschema-uid']
  await vi.waitUntil(async () => (await uid()) === metadata.uid, { timeout: 30_000 })
}

const as = (user: string, path: string): Promise<HttpAnswer> => http1(served, path, { headers: { 'impersonate-user': user } })
const metric = async (name: string, level: string) => {
  const text = (await http1(served, '/metrics')).body.toString()
  const line = new RegExp(`^apiserver_flowcontrol_${name}\\{[^}]*priority_level="${level}"[^}]*\\} (\\d+)$`, 'm')
  return Number(line.exec(text)?.[1] ?? 0)
}
const kubectl = (...args: string[]): Promise<{ code: number; out: string; err: string }> =>
  new Promise((resolve) => {
    execFile('kubectl', ['--kubeconfig', served.kubeconfig, ...args], { env: { ...process.env, HOME: served.dir } }, (error, out, err) =>
      resolve({ code: error ? 1 : 0, out, err }),
    )
  })

/** Takes ada's one seat and both places in her queue. */
async function fill(): Promise<readonly Promise<HttpAnswer>[]> {
  const all = [as('ada', '/slow')]
  await expect.poll(() => metric('current_executing_requests', 'narrow')).toBe(1)
  all.push(as('ada', '/slow'), as('ada', '/slow'))
  await expect.poll(() => metric('current_inqueue_requests', 'narrow')).toBe(2)
  return all
}

it('has the levels and schemas of every cluster', async () => {
  const levels = (await kubectl('get', 'prioritylevelconfigurations', '--no-headers')).out
  expect(levels).toMatch(/^workload-low +Limited +100 +128 +6 +50 /m)
  expect(levels).toMatch(/^exempt +Exempt +0 +<none> +<none> +<none> /m)
  expect((await kubectl('get', 'flowschemas', '--no-headers')).out).toMatch(/^global-default +global-default +9900 +ByUser +\S+ +False$/m)
  const { out } = await kubectl('get', 'flowschema', 'probes', '-o', 'jsonpath={.metadata.annotations}')
  expect(JSON.parse(out)).toMatchObject({ 'apf.kubernetes.io/autoupdate-spec': 'true' })
})

describe('a full queue', () => {
  it('is answered with 429, and nobody else notices', async () => {
    const waiting = await fill()
    const refused = await as('ada', '/api/v1/namespaces/default/configmaps')
    expect([refused.status, refused.headers['retry-after'], json(refused)['reason']]).toEqual([429, '1', 'TooManyRequests'])
    expect((await as('bob', '/api/v1/namespaces/default/configmaps')).status).toBe(200)
    expect((await kubectl('get', 'namespaces')).code).toBe(0)
    expect((await kubectl('--as', 'bob', 'get', 'configmaps')).code).toBe(0)
    expect((await http1(served, '/readyz', { anonymous: true })).status).toBe(200)
    release()
    expect((await Promise.all(waiting)).map(({ status }) => status)).toEqual([200, 200, 200])
    expect(await metric('rejected_requests_total', 'narrow')).toBeGreaterThanOrEqual(1)
  })

  it('lets kubectl come again, which it does by itself', async () => {
    const waiting = await fill()
    const before = await metric('rejected_requests_total', 'narrow')
    const late = kubectl('--as', 'ada', 'get', '--raw', '/slow')
    await expect.poll(() => metric('rejected_requests_total', 'narrow'), { timeout: 30_000 }).toBeGreaterThan(before)
    release()
    expect(await late).toMatchObject({ code: 0, out: 'done\n' })
    await Promise.all(waiting)
  })

  it('is seen at the debug paths, by who may see them', async () => {
    const waiting = await fill()
    const { out } = await kubectl('get', '--raw', '/debug/api_priority_and_fairness/dump_queues')
    expect(out).toMatch(/^narrow, +0, +2, +1, +3, /m)
    expect((await as('bob', '/debug/api_priority_and_fairness/dump_queues')).status).toBe(403)
    release()
    await Promise.all(waiting)
  })
})

it('a level that keeps nobody waiting refuses at once', async () => {
  const first = as('eve', '/slow')
  await expect.poll(() => metric('current_executing_requests', 'strict')).toBe(1)
  expect((await as('eve', '/slow')).status).toBe(429)
  release()
  expect((await first).status).toBe(200)
})

it('a watch takes a seat only until it has begun', async () => {
  const h2 = session(served)
  const head = { ':path': '/api/v1/namespaces/default/configmaps?watch=1', 'impersonate-user': 'eve' }
  for (let i = 0; i < 3; i++) {
    const [headers] = (await once(h2.request(head), 'response')) as [Record<string, unknown>]
    expect(headers[':status']).toBe(200)
  }
  expect((await as('eve', '/api/v1/namespaces/default/configmaps')).status).toBe(200)
  h2.destroy()
})
