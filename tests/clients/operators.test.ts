/** A small operator in TypeScript and one in Python, with the rights of an operator, on a definition of two versions. */
import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { json } from 'node:stream/consumers'
import { Readable } from 'node:stream'
import { afterAll, beforeAll, describe, expect, it, onTestFailed } from 'vitest'
import { deployment } from '../../electron/api/apps/v1/deployment.ts'
import { lease } from '../../electron/api/coordination/v1/lease.ts'
import { configMap } from '../../electron/api/core/v1/config-map.ts'
import { event } from '../../electron/api/core/v1/event.ts'
import { writeCertificates } from './lib/certificates.ts'
import { startCluster, type Cluster } from './lib/cluster.ts'
import { kubeconfigOf, tokenOf } from './lib/kubeconfigs.ts'
import { startOperator, type OperatorProcess } from './lib/operator.ts'
import { run } from './lib/run.ts'
import { until } from './lib/until.ts'

interface Site {
  readonly metadata: {
    readonly name: string
    readonly generation: number
    readonly finalizers?: string[]
    readonly deletionTimestamp?: string
  }
  readonly spec: Record<string, unknown>
  readonly status?: {
    readonly observedGeneration: number
    readonly readyReplicas: number
    readonly conditions: { readonly type: string; readonly status: string; readonly reason: string; readonly message: string }[]
  }
}

const FOLDER = join(import.meta.dirname, 'operators')
const OPERATORS = [
  { language: 'TypeScript', group: 'node.example.com', command: [process.execPath, join(FOLDER, 'typescript/operator.ts')] },
  { language: 'Python', group: 'python.example.com', command: ['/usr/bin/python3', '-B', '-u', join(FOLDER, 'python/site_operator.py')] },
]
const LEASE_SECONDS = 5

let cluster: Cluster
beforeAll(async () => void (cluster = await startCluster({ nodes: 2 })))
afterAll(() => cluster[Symbol.asyncDispose]())

const kubectl = (args: readonly string[], input?: string) =>
  run('kubectl', args, { env: { KUBECONFIG: cluster.kubeconfig, HOME: cluster.dir }, ...(input === undefined ? {} : { input }) })

describe.each(OPERATORS)('the operator in $language', ({ language, group, command }) => {
  const system = `${language.toLowerCase()}-system`
  const ns = `${language.toLowerCase()}-sites`
  let operator: OperatorProcess
  let environment: Record<string, string>

  const start = (identity: string) => startOperator(command, { ...environment, OPERATOR_IDENTITY: identity })
  const path = (version: string, name = '') => `/apis/${group}/${version}/namespaces/${ns}/sites${name ? `/${name}` : ''}`
  const get = async <T>(of: string): Promise<T | undefined> => {
    const { status, body } = await cluster.client.request({ method: 'GET', path: of })
    const answer = await json(Readable.from(body))
    if (status === 404) return undefined
    if (status !== 200) throw new Error(JSON.stringify(answer))
    return answer as T
  }
  const site = (name: string, version = 'v1') => get<Site>(path(version, name))
  const list = async (version = 'v1') => (await get<{ items: Site[] }>(path(version)))?.items ?? []
  const apply = async (version: string, name: string, spec: object) => {
    const object = { apiVersion: `${group}/${version}`, kind: 'Site', metadata: { name, namespace: ns }, spec }
    const { code, out, err } = await kubectl(['apply', '-f', '-'], JSON.stringify(object))
    return { code, out, err }
  }
  const isReady = (one: Site | undefined) =>
    one?.status?.observedGeneration === one?.metadata.generation && one?.status?.conditions[0]?.status === 'True'
  const ready = (name: string) =>
    until(`${name} is ready`, async () => {
      const one = await site(name)
      return isReady(one) && one
    })
  const directory = async () => (await cluster.client.get(configMap, { namespace: system, name: 'directory' })).data ?? {}

  beforeAll(async () => {
    const tlsDir = join(cluster.dir, `tls-${language}`)
    await writeCertificates(tlsDir)
    for (const file of ['sites.yaml', 'rbac.yaml']) {
      const text = await readFile(join(FOLDER, file), 'utf8')
      const { code, err } = await kubectl(['apply', '-f', '-'], text.replaceAll('GROUP', group).replaceAll('NAMESPACE', system))
      if (code !== 0) throw new Error(err)
    }
    await kubectl(['create', 'namespace', ns])
    await kubectl(['wait', '--for=condition=Established', `crd/sites.${group}`])
    environment = {
      KUBECONFIG: await kubeconfigOf(cluster, { token: await tokenOf(cluster, system, 'operator') }),
      OPERATOR_GROUP: group,
      OPERATOR_NAMESPACE: system,
      OPERATOR_LEASE_SECONDS: String(LEASE_SECONDS),
      OPERATOR_TLS_DIR: tlsDir,
    }
    operator = start('first')
    await until('the operator leads', () => operator.leads).catch((error: unknown) => {
      throw new Error(operator.output, { cause: error })
    })
  })
  afterAll(async () => {
    await operator.kill()
    // Nobody answers for its webhooks any more.
    await kubectl(['delete', 'mutatingwebhookconfigurations,validatingwebhookconfigurations', `sites.${group}`, '--ignore-not-found'])
  })

  it('makes what a Site stands for, and tells of it', async () => {
    onTestFailed(() => void process.stderr.write(operator.output))
    expect((await apply('v1', 'home', { page: { title: 'Home', text: 'welcome' }, replicas: 2 })).code).toBe(0)
    const { metadata, status } = await ready('home')
    expect(status).toMatchObject({ readyReplicas: 2, observedGeneration: 1 })
    expect(status?.conditions).toHaveLength(1)
    expect(status?.conditions[0]).toMatchObject({ type: 'Ready', reason: 'AllReplicasReady', message: '2 of 2 replicas are ready' })
    expect(metadata.finalizers).toEqual([`${group}/directory`])
    const page = await cluster.client.get(configMap, { namespace: ns, name: 'home' })
    expect(page.data).toEqual({ 'index.html': '<h1>Home</h1>welcome' })
    expect(page.metadata.ownerReferences?.[0]).toMatchObject({ kind: 'Site', name: 'home', controller: true })
    expect(await directory()).toEqual({ [`${ns}.home`]: 'Home' })
    const events = await until('there is an event', async () => {
      const { items } = await cluster.client.list(event, { namespace: ns, fieldSelector: 'involvedObject.kind=Site,reason=Ready' })
      return items.length > 0 && items
    })
    expect(events.map(({ message }) => message)).toEqual(['The site has 2 replicas.'])
    const described = await kubectl(['describe', `sites.${group}`, 'home', '-n', ns])
    expect(described.out).toMatch(/Events:.*Ready .*operator\..*The site has 2 replicas\./s)
    expect((await kubectl(['get', `sites.${group}`, '-n', ns])).out).toMatch(/NAME +READY +REPLICAS\nhome +True +2\n/)
  })

  it('has its objects read and written in either version', async () => {
    const { code, err } = await apply('v1alpha1', 'old', { title: 'Old', text: 'from before', copies: 1 })
    expect([code, err]).toEqual([0, `Warning: ${group}/v1alpha1 Site is deprecated\n`])
    expect((await site('old'))?.spec).toEqual({ page: { title: 'Old', text: 'from before' }, replicas: 1 })
    await ready('old')
    expect((await site('home', 'v1alpha1'))?.spec).toEqual({ title: 'Home', text: 'welcome', copies: 2 })
    expect((await site('home', 'v1alpha1'))?.status).toEqual((await site('home'))?.status)
    expect((await list('v1alpha1')).map(({ spec }) => spec['title'])).toEqual(['Home', 'Old'])
    const { body } = await cluster.client.request({
      method: 'GET',
      path: path('v1alpha1'),
      query: { watch: 'true', timeoutSeconds: '1', fieldSelector: 'metadata.name=old' },
    })
    const first =
      Buffer.concat(await Array.fromAsync(body))
        .toString()
        .split('\n')[0] ?? ''
    expect(JSON.parse(first)).toMatchObject({ type: 'ADDED', object: { apiVersion: `${group}/v1alpha1`, spec: { title: 'Old' } } })
  })

  if (language === 'TypeScript') {
    it('fills in, warns and refuses by its admission webhooks', async () => {
      const { code, err } = await apply('v1', 'nameless', { page: { text: '' } })
      expect([code, err]).toEqual([0, 'Warning: spec.page.text is empty: visitors see a blank page\n'])
      expect((await site('nameless'))?.spec).toEqual({ page: { title: 'nameless', text: '' }, replicas: 1 })
      const refused = await apply('v1', 'evil', { page: { title: 'Evil', text: '<script>' } })
      expect(refused.code).not.toBe(0)
      expect(refused.err).toContain(`admission webhook "validate.${group}" denied the request: spec.page.text: scripts are not served`)
      const old = await apply('v1alpha1', 'evil', { text: '<SCRIPT>' })
      expect(old.err).toContain('scripts are not served')
      await kubectl(['annotate', `sites.${group}`, 'nameless', '-n', ns, 'sites.example.com/keep=true'])
      expect((await kubectl(['delete', `sites.${group}`, 'nameless', '-n', ns])).err).toContain('the site is to be kept')
      await kubectl(['annotate', `sites.${group}`, 'nameless', '-n', ns, 'sites.example.com/keep-'])
      expect((await kubectl(['delete', `sites.${group}`, 'nameless', '-n', ns])).out).toContain('"nameless" deleted')
    })
  }

  it('follows changes of the Site, and undoes those of others', async () => {
    await kubectl(['scale', `sites.${group}`, 'home', '-n', ns, '--replicas=3'])
    const { status } = await ready('home')
    expect(status).toMatchObject({ readyReplicas: 3, observedGeneration: 2 })
    await kubectl(['scale', 'deployment', 'home', '-n', ns, '--replicas=7'])
    await until('the Deployment is as it was', async () => {
      const { spec, metadata } = await cluster.client.get(deployment, { namespace: ns, name: 'home' })
      return spec.replicas === 3 && (metadata.generation ?? 0) >= 4
    })
  })

  it('cleans up behind a Site that is deleted', async () => {
    expect(await directory()).toHaveProperty(`${ns}.old`)
    const { code } = await kubectl(['delete', `sites.${group}`, 'old', '-n', ns, '--timeout=60s'])
    expect(code).toBe(0)
    expect(await directory()).not.toHaveProperty(`${ns}.old`)
    await until('what it owned is gone', async () => {
      const names = (await cluster.client.list(deployment, { namespace: ns })).items.map(({ metadata }) => metadata.name)
      return !names.includes('old')
    })
  })

  it('converges when it is killed in the middle', async () => {
    const names = Array.from({ length: 12 }, (_, i) => `many-${i}`)
    const created = Promise.all(names.map((name) => apply('v1', name, { page: { title: name, text: 'x' } })))
    await until('it has begun', async () => (await list()).some(({ metadata, status }) => metadata.name.startsWith('many') && status))
    await operator.kill()
    await created
    // Nobody converts or admits, nor takes finalizers away, until it is back.
    operator = start('second')
    await until('the operator leads', () => operator.leads)
    for (const name of names) if (!(await site(name))) expect((await apply('v1', name, { page: { title: name, text: 'x' } })).code).toBe(0)
    await kubectl(['delete', `sites.${group}`, 'many-0', 'many-1', '-n', ns, '--wait=false'])
    const left = ['home', ...names.slice(2)].toSorted()
    await until('all are as they should be', async () => {
      const sites = await list()
      return sites.length === left.length && sites.every(isReady)
    })
    expect(Object.keys(await directory()).toSorted()).toEqual(left.map((name) => `${ns}.${name}`))
    await until('only they have Deployments', async () => {
      const { items } = await cluster.client.list(deployment, { namespace: ns })
      return items.every(({ metadata }) => left.includes(metadata.name))
    })
    const { spec } = await cluster.client.get(lease, { namespace: system, name: group })
    expect(spec).toMatchObject({ holderIdentity: 'second', leaseTransitions: 1, leaseDurationSeconds: LEASE_SECONDS })
  })

  it('is led by one of two, and goes on when that one dies', async () => {
    await using other = start('other')
    await until('the other is there', () => other.output.includes('serving'))
    expect(other.leads).toBe(false)
    await operator.kill()
    await until('the other leads', () => other.leads)
    const { spec } = await cluster.client.get(lease, { namespace: system, name: group })
    expect(spec).toMatchObject({ holderIdentity: 'other', leaseTransitions: 2 })
    expect((await apply('v1alpha1', 'late', { text: 'by the other' })).code).toBe(0)
    await ready('late')
    operator = start('third')
  })

  it('goes on when the API server was killed', async () => {
    await until('the operator leads', () => operator.leads)
    await cluster.kill()
    await cluster.restart()
    await until(
      'it can be asked',
      async () => (await apply('v1', 'after', { page: { title: 'After', text: 'x' }, replicas: 2 })).code === 0,
    )
    await ready('after')
  })
})
