/** The audit log of a served plane, by a policy with all four levels: what kubectl does as different users, line by line. */
import { execFile, spawn, type ChildProcess } from 'node:child_process'
import { once } from 'node:events'
import type { IncomingMessage } from 'node:http'
import { request } from 'node:https'
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { text } from 'node:stream/consumers'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'

const FLOTILLA = join(import.meta.dirname, '../../electron/headless/flotilla.ts')
const POLICY = `
apiVersion: audit.k8s.io/v1
kind: Policy
omitStages: [RequestReceived]
omitManagedFields: true
rules:
  - { level: None, users: ["system:kube-controller-manager", "system:kube-scheduler", "system:apiserver"] }
  - { level: None, userGroups: ["system:serviceaccounts"] }
  - { level: None, nonResourceURLs: ["/openapi*", "/api*", "/healthz*", "/readyz*", "/livez*"] }
  - { level: Metadata, resources: [{ group: "", resources: ["secrets"] }] }
  - { level: Request, resources: [{ group: "", resources: ["configmaps"] }], namespaces: ["default"] }
  - { level: RequestResponse, verbs: ["create", "patch", "delete"], namespaces: ["default"] }
  - { level: Metadata, nonResourceURLs: ["/version"] }
  - { level: None }
`

interface Event {
  readonly level: string
  readonly verb: string
  readonly stage: string
  readonly auditID: string
  readonly user: { readonly username: string; readonly groups?: readonly string[] }
  readonly objectRef?: { readonly resource: string; readonly name?: string }
  readonly responseStatus: { readonly code: number; readonly reason?: string }
  readonly requestObject?: Record<string, unknown>
  readonly responseObject?: Record<string, unknown>
  readonly sourceIPs: readonly string[]
}

let dir: string
let plane: ChildProcess
let kubeconfig: string
let server: string
const log = () => join(dir, 'audit.log')

beforeAll(async () => {
  dir = await mkdtemp(join(tmpdir(), 'flotilla-audit-'))
  await writeFile(join(dir, 'policy.yaml'), POLICY)
  plane = start('--audit-policy-file', join(dir, 'policy.yaml'), '--audit-log-path', log())
  ;({ kubeconfig, server } = await firstLine<{ kubeconfig: string; server: string }>(plane))
})
afterAll(async () => {
  if (plane.exitCode === null) {
    plane.kill('SIGKILL')
    await once(plane, 'exit')
  }
  await rm(dir, { recursive: true, force: true })
})

const start = (...options: string[]) =>
  spawn(process.execPath, [FLOTILLA, 'serve', '--state', join(dir, 'state'), ...options], {
    stdio: ['ignore', 'pipe', 'pipe'],
    env: { ...process.env, HOME: dir, KUBECONFIG: '' },
  })

async function firstLine<T>(child: ChildProcess): Promise<T> {
  if (!child.stdout) throw new Error('no output')
  for await (const line of createInterface(child.stdout)) return JSON.parse(line) as T
  throw new Error('it printed nothing')
}

const kubectl = (...args: string[]): Promise<{ code: number; out: string; err: string }> =>
  new Promise((resolve) => {
    execFile('kubectl', ['--kubeconfig', kubeconfig, ...args], { env: { ...process.env, HOME: dir } }, (error, out, err) =>
      resolve({ code: error ? 1 : 0, out, err }),
    )
  })

const lines = async () => (await readFile(log(), 'utf8')).trimEnd().split('\n')
const events = async () => (await lines()).map((line) => JSON.parse(line) as Event)
const of = async (verb: string, resource: string) =>
  (await events()).filter((event) => event.verb === verb && event.objectRef?.resource === resource && event.stage === 'ResponseComplete')
const one = async (verb: string, resource: string) => {
  await expect.poll(async () => (await of(verb, resource)).length).toBe(1)
  return (await of(verb, resource))[0]
}

describe('the log', () => {
  it('says of a secret who made it, and never what is in it', async () => {
    expect((await kubectl('create', 'secret', 'generic', 'key', '--from-literal=password=opensesame')).code).toBe(0)
    const event = await one('create', 'secrets')
    expect(event).toMatchObject({
      level: 'Metadata',
      user: { username: 'kubernetes-admin', groups: expect.arrayContaining(['system:authenticated']) as string[] },
      objectRef: { resource: 'secrets', namespace: 'default', name: 'key', apiVersion: 'v1' },
      responseStatus: { metadata: {}, code: 201 },
      sourceIPs: ['127.0.0.1'],
      userAgent: expect.stringMatching(/^kubectl/) as string,
      annotations: { 'authorization.k8s.io/decision': 'allow' },
    })
    expect(await readFile(log(), 'utf8')).not.toContain(Buffer.from('opensesame').toString('base64'))
  })

  it('has of a config map what was sent', async () => {
    await kubectl('create', 'configmap', 'settings', '--from-literal=colour=blue')
    const event = await one('create', 'configmaps')
    expect(event).toMatchObject({ level: 'Request', requestObject: { kind: 'ConfigMap', data: { colour: 'blue' } } })
    expect(event).not.toHaveProperty('responseObject')
  })

  it('has of other changes what was sent and what became of it', async () => {
    await kubectl('create', 'service', 'clusterip', 'web', '--tcp=80')
    const event = await one('create', 'services')
    expect(event).toMatchObject({
      level: 'RequestResponse',
      requestObject: { kind: 'Service', metadata: { name: 'web' } },
      responseObject: { kind: 'Service', spec: { clusterIP: expect.stringMatching(/^10\.96\./) as string } },
    })
    expect(event?.responseObject?.['metadata']).not.toHaveProperty('managedFields')
  })

  it('names both, who asks and as whom, and why it was refused', async () => {
    const refused = await kubectl('--as', 'eve', 'delete', 'configmap', 'settings')
    expect(refused.err).toContain('User "eve" cannot delete resource "configmaps"')
    expect(await one('delete', 'configmaps')).toMatchObject({
      user: { username: 'kubernetes-admin' },
      impersonatedUser: { username: 'eve', groups: ['system:authenticated'] },
      responseStatus: { status: 'Failure', reason: 'Forbidden', code: 403 },
      annotations: { 'authorization.k8s.io/decision': 'forbid' },
    })
  })

  it('has nothing of what the policy leaves out, and no line that is not whole', async () => {
    await kubectl('get', 'pods')
    await kubectl('get', '--raw', '/version', '-v=0')
    await expect.poll(async () => (await events()).some((event) => event.verb === 'get' && !event.objectRef)).toBe(true)
    const all = await events()
    expect(new Set(all.map(({ level }) => level))).toEqual(new Set(['Metadata', 'Request', 'RequestResponse']))
    expect(all.filter(({ stage }) => stage === 'RequestReceived')).toEqual([])
    expect(all.filter(({ user }) => user.username.startsWith('system:'))).toEqual([])
    expect(all.filter(({ objectRef }) => objectRef?.resource === 'pods')).toEqual([])
  })

  it('tells of credentials that do not hold, under the id that the client gave', async () => {
    const headers = { authorization: 'Bearer nonsense', 'audit-id': 'my-own-id' }
    const sent = request(`${server}/api/v1/secrets`, { headers, rejectUnauthorized: false, agent: false }).end()
    const [refused] = (await once(sent, 'response')) as [IncomingMessage]
    refused.resume()
    expect([refused.statusCode, refused.headers['audit-id']]).toEqual([401, 'my-own-id'])
    await expect
      .poll(async () => (await events()).find(({ auditID }) => auditID === 'my-own-id'))
      .toMatchObject({
        stage: 'ResponseStarted',
        user: {},
        responseStatus: { code: 401, reason: 'Unauthorized' },
      })
  })

  it('is whole after the server was stopped', async () => {
    await kubectl('create', 'secret', 'generic', 'last')
    plane.kill('SIGTERM')
    await once(plane, 'exit')
    expect((await events()).at(-1)).toMatchObject({ verb: 'create', objectRef: { name: 'last' } })
  })
})

it('keeps the server from starting by a policy that is wrong, and says what is', async () => {
  await writeFile(join(dir, 'wrong.yaml'), POLICY.replace('level: Request,', 'level: Everything,'))
  const child = start('--audit-policy-file', join(dir, 'wrong.yaml'))
  const [err] = await Promise.all([text(child.stderr), once(child, 'exit')])
  expect(child.exitCode).toBe(2)
  expect(err).toContain(`The audit policy ${join(dir, 'wrong.yaml')} cannot be used.`)
  expect(err).toContain('rules[4].level: Unsupported value: "Everything"')
})
