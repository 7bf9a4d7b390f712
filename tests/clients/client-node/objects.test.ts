/** What programs do with `@kubernetes/client-node` beside watching: patches of each type, any kind, pages, errors, and who they are. */
import {
  ApiException,
  ApiextensionsV1Api,
  AppsV1Api,
  AuthenticationV1Api,
  CoreV1Api,
  CustomObjectsApi,
  Health,
  KubeConfig,
  KubernetesObjectApi,
  loadAllYaml,
  PatchStrategy,
  setHeaderOptions,
  VersionApi,
  type KubernetesObject,
  type V1Status,
} from '@kubernetes/client-node'
import { readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { kubeconfigOf, tokenOf } from '../lib/kubeconfigs.ts'
import { startCluster, type Cluster } from '../lib/cluster.ts'
import { until } from '../lib/until.ts'

const NS = 'objects'
let cluster: Cluster
let config: KubeConfig
let core: CoreV1Api
beforeAll(async () => {
  cluster = await startCluster()
  config = new KubeConfig()
  config.loadFromFile(cluster.kubeconfig)
  core = config.makeApiClient(CoreV1Api)
  await core.createNamespace({ body: { metadata: { name: NS } } })
})
afterAll(() => cluster[Symbol.asyncDispose]())

async function refusal(call: Promise<unknown>): Promise<V1Status> {
  const error: unknown = await call.then(
    () => new Error('it was accepted'),
    (reason: unknown) => reason,
  )
  if (!(error instanceof ApiException)) throw error
  return typeof error.body === 'string' ? (JSON.parse(error.body) as V1Status) : (error.body as V1Status)
}

describe('patches', () => {
  const as = (type: string) => setHeaderOptions('Content-Type', type)
  const at = { namespace: NS, name: 'web' }
  let apps: AppsV1Api
  const images = async () =>
    (await apps.readNamespacedDeployment(at)).spec?.template.spec?.containers.map(({ name, image }) => `${name}=${image}`)
  const apply = (fieldManager: string, image: string, force = false) =>
    apps.patchNamespacedDeployment(
      {
        ...at,
        fieldManager,
        force,
        body: {
          apiVersion: 'apps/v1',
          kind: 'Deployment',
          metadata: { name: 'web' },
          spec: {
            selector: { matchLabels: { app: 'web' } },
            template: { metadata: { labels: { app: 'web' } }, spec: { containers: [{ name: 'web', image }] } },
          },
        },
      },
      as(PatchStrategy.ServerSideApply),
    )

  it('are applied on the server, and conflict with who owns the field', async () => {
    apps = config.makeApiClient(AppsV1Api)
    const made = await apply('one', 'shop:1')
    expect(made.metadata?.generation).toBe(1)
    expect(made.metadata?.managedFields?.[0]).toMatchObject({ manager: 'one', operation: 'Apply' })
    const status = await refusal(apply('two', 'shop:2'))
    expect(status).toMatchObject({ code: 409, reason: 'Conflict' })
    expect(status.message).toContain('conflict with "one"')
    expect(status.details?.causes?.[0]?.field).toBe('.spec.template.spec.containers[name="web"].image')
    await apply('two', 'shop:2', true)
    expect(await images()).toEqual(['web=shop:2'])
  })

  it('merge lists by their key, or replace them, or go by their position, as their type says', async () => {
    const sidecar = { spec: { template: { spec: { containers: [{ name: 'log', image: 'log:1' }] } } } }
    await apps.patchNamespacedDeployment({ ...at, body: sidecar }, as(PatchStrategy.StrategicMergePatch))
    expect((await images())?.toSorted()).toEqual(['log=log:1', 'web=shop:2'])
    await apps.patchNamespacedDeployment({ ...at, body: sidecar }, as(PatchStrategy.MergePatch))
    expect(await images()).toEqual(['log=log:1'])
    const path = '/spec/template/spec/containers/0/image'
    const step = (value: string) => [
      { op: 'test', path, value },
      { op: 'replace', path, value: 'log:2' },
    ]
    await apps.patchNamespacedDeployment({ ...at, body: step('log:1') }, as(PatchStrategy.JsonPatch))
    expect(await images()).toEqual(['log=log:2'])
    expect(await refusal(apps.patchNamespacedDeployment({ ...at, body: step('log:1') }, as(PatchStrategy.JsonPatch)))).toMatchObject({
      code: 422,
      reason: 'Invalid',
    })
  })
})

describe('objects of any kind', () => {
  it('are created, read, patched, listed and deleted from a chart’s definition on', async () => {
    const api = KubernetesObjectApi.makeApiClient(config)
    const [definition] = loadAllYaml(await readFile(join(import.meta.dirname, '../chart/crds/coupons.yaml'), 'utf8')) as KubernetesObject[]
    await api.create(definition as KubernetesObject)
    const extensions = config.makeApiClient(ApiextensionsV1Api)
    await until('the definition is established', async () => {
      const { status } = await extensions.readCustomResourceDefinition({ name: 'coupons.shop.example.com' })
      return status?.conditions?.some(({ type, status: is }) => type === 'Established' && is === 'True')
    })
    const head = { apiVersion: 'shop.example.com/v1', kind: 'Coupon', metadata: { name: 'spring', namespace: NS } }
    const coupon = { ...head, spec: { percent: 5 } }
    expect(await api.create(coupon)).toMatchObject({ spec: { percent: 5, once: true } })
    expect(await refusal(api.create({ ...coupon, metadata: { namespace: NS, name: 'bad' }, spec: { percent: 101 } }))).toMatchObject({
      code: 422,
      message: expect.stringContaining('spec.percent: Invalid value: 101: spec.percent in body should be less than or equal to 100'),
    })
    await api.patch({ ...head, spec: { percent: 7 } }, undefined, undefined, undefined, undefined, PatchStrategy.MergePatch)
    expect(await api.read(head)).toMatchObject({ spec: { percent: 7, once: true } })
    expect((await api.list('shop.example.com/v1', 'Coupon', NS)).items.map(({ metadata }) => metadata?.name)).toEqual(['spring'])
    const custom = config.makeApiClient(CustomObjectsApi)
    const at = { group: 'shop.example.com', version: 'v1', namespace: NS, plural: 'coupons' }
    expect(await custom.listNamespacedCustomObject(at)).toMatchObject({ kind: 'CouponList', items: [{ kind: 'Coupon' }] })
    await api.delete(head)
    expect(await refusal(api.read(head))).toMatchObject({ code: 404, reason: 'NotFound', details: { name: 'spring', kind: 'coupons' } })
  })

  it('have generated names, come in pages, and go together', async () => {
    const namespace = 'pages'
    await core.createNamespace({ body: { metadata: { name: namespace } } })
    await until('there is the CA of the cluster', () => core.readNamespacedConfigMap({ namespace, name: 'kube-root-ca.crt' }))
    for (let i = 0; i < 4; i++) await core.createNamespacedConfigMap({ namespace, body: { metadata: { generateName: 'page-' } } })
    const names: string[] = []
    let _continue: string | undefined
    do {
      const page = await core.listNamespacedConfigMap({ namespace, limit: 2, ...(_continue ? { _continue } : {}) })
      names.push(...page.items.map(({ metadata }) => metadata?.name ?? ''))
      _continue = page.metadata?._continue
      expect(page.metadata?.remainingItemCount ?? 0).toBe(5 - names.length)
    } while (_continue)
    expect(new Set(names).size).toBe(5)
    await core.deleteCollectionNamespacedConfigMap({ namespace, fieldSelector: 'metadata.name!=kube-root-ca.crt' })
    const left = await core.listNamespacedConfigMap({ namespace })
    expect(left.items.map(({ metadata }) => metadata?.name)).toEqual(['kube-root-ca.crt'])
  })

  it('are refused with a reason that programs can read', async () => {
    const body = { metadata: { name: 'twice' } }
    await core.createNamespacedConfigMap({ namespace: NS, body })
    expect(await refusal(core.createNamespacedConfigMap({ namespace: NS, body }))).toMatchObject({ code: 409, reason: 'AlreadyExists' })
    const old = await core.readNamespacedConfigMap({ namespace: NS, name: 'twice' })
    const replace = (value: string) => {
      const changed = structuredClone(old)
      changed.data = { value }
      return core.replaceNamespacedConfigMap({ namespace: NS, name: 'twice', body: changed })
    }
    await replace('1')
    expect(await refusal(replace('2'))).toMatchObject({ code: 409, reason: 'Conflict' })
    const dry = await core.createNamespacedConfigMap({ namespace: NS, body: { metadata: { name: 'dry' } }, dryRun: 'All' })
    expect(dry.metadata?.uid).toBeTruthy()
    expect(await refusal(core.readNamespacedConfigMap({ namespace: NS, name: 'dry' }))).toMatchObject({ code: 404 })
  })
})

describe('who asks', () => {
  const whoAmI = async (user: object) => {
    const own = new KubeConfig()
    own.loadFromFile(await kubeconfigOf(cluster, user))
    const body = { apiVersion: 'authentication.k8s.io/v1', kind: 'SelfSubjectReview' }
    return (await own.makeApiClient(AuthenticationV1Api).createSelfSubjectReview({ body })).status?.userInfo?.username
  }
  const account = `system:serviceaccount:${NS}:default`
  let token: string
  beforeAll(async () => void (token = await until('there is a service account', () => tokenOf(cluster, NS, 'default'))))

  it('is known by a token', async () => {
    expect(await whoAmI({ token })).toBe(account)
  })

  it('is known by a token in a file', async () => {
    const tokenFile = join(cluster.dir, 'token')
    await writeFile(tokenFile, token)
    expect(await whoAmI({ 'auth-provider': { name: 'tokenFile', config: { tokenFile } } })).toBe(account)
  })

  it('is known by what a program hands out', async () => {
    const credential = { apiVersion: 'client.authentication.k8s.io/v1', kind: 'ExecCredential', status: { token } }
    const script = `process.stdout.write(${JSON.stringify(JSON.stringify(credential))})`
    const exec = { apiVersion: credential.apiVersion, command: process.execPath, args: ['-e', script], interactiveMode: 'Never' }
    expect(await whoAmI({ exec })).toBe(account)
  })

  it('is known by a certificate in the cluster’s own kubeconfig', async () => {
    const body = { apiVersion: 'authentication.k8s.io/v1', kind: 'SelfSubjectReview' }
    const { status } = await config.makeApiClient(AuthenticationV1Api).createSelfSubjectReview({ body })
    expect(status?.userInfo?.groups).toContain('system:masters')
  })

  it('is refused with a token that is none', async () => {
    await expect(whoAmI({ token: 'nonsense' })).rejects.toMatchObject({ code: 401, message: expect.stringContaining('Unauthorized') })
  })
})

it('says its version and that it is well', async () => {
  expect(await config.makeApiClient(VersionApi).getCode()).toMatchObject({ major: '1', minor: '36' })
  const health = new Health(config)
  expect(await health.readyz({})).toBe(true)
  expect(await health.livez({})).toBe(true)
})
