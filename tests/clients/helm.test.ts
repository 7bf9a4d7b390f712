/** A chart's whole life under Helm 3 and Helm 4, seen by what is then in the cluster. */
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { deployment } from '../../electron/api/apps/v1/deployment.ts'
import { statefulSet } from '../../electron/api/apps/v1/stateful-set.ts'
import { job } from '../../electron/api/batch/v1/job.ts'
import { configMap } from '../../electron/api/core/v1/config-map.ts'
import { namespace } from '../../electron/api/core/v1/namespace.ts'
import { persistentVolume } from '../../electron/api/core/v1/persistent-volume.ts'
import { pod } from '../../electron/api/core/v1/pod.ts'
import { secret } from '../../electron/api/core/v1/secret.ts'
import { serviceAccount } from '../../electron/api/core/v1/service-account.ts'
import { customResourceDefinition } from '../../electron/api/apiextensions/v1/custom-resource-definition.ts'
import { horizontalPodAutoscaler } from '../../electron/api/autoscaling/v2/horizontal-pod-autoscaler.ts'
import { unpackTool, type Layer } from '../../scripts/tools.ts'
import { startCluster, type Cluster } from './lib/cluster.ts'
import { kubeconfigOf, tokenOf } from './lib/kubeconfigs.ts'
import { run, type Ran } from './lib/run.ts'
import { until } from './lib/until.ts'

const CHART = `${import.meta.dirname}/chart`
const CRD = { name: 'coupons.shop.example.com' }
const WAIT = ['--wait', '--timeout', '100s']

interface Version {
  readonly major: number
  readonly layer: Layer
  /** What takes a failed upgrade back. */
  readonly atomic: string
}

const VERSIONS: readonly Version[] = [
  { major: 3, layer: 'v32', atomic: '--atomic' },
  { major: 4, layer: 'v34', atomic: '--rollback-on-failure' },
]

let cluster: Cluster
beforeAll(async () => void (cluster = await startCluster({ nodes: 2 })))
afterAll(() => cluster[Symbol.asyncDispose]())

describe.each(VERSIONS)('Helm $major', ({ major, layer, atomic }) => {
  const ns = `shop-${major}`
  const shop = { namespace: ns, name: 'rel-shop' }
  let program: string

  const helm = (...args: string[]): Promise<Ran> =>
    run(program, [...args, '--namespace', ns], { env: { KUBECONFIG: cluster.kubeconfig, HOME: cluster.dir, HELM_DRIVER: 'secret' } })
  const succeed = async (...args: string[]): Promise<string> => {
    const { code, out, err } = await helm(...args)
    expect(code, `helm ${args.join(' ')}: ${err}`).toBe(0)
    return out
  }
  const history = async (): Promise<string[]> => {
    const told = JSON.parse(await succeed('history', 'rel', '-o', 'json')) as { revision: number; status: string; description: string }[]
    return told.map(({ revision, status, description }) => `${revision} ${status} ${description.split(':')[0]}`)
  }
  const greeting = async () => (await cluster.client.get(configMap, shop)).data?.['greeting']

  beforeAll(async () => {
    const unpacked = await unpackTool(layer, 'helm')
    if (!unpacked) throw new Error('these tests need Linux on x64, for which there is a Helm in a package')
    program = unpacked
    for (const i of [0, 1]) {
      await cluster.client.create(persistentVolume, {
        metadata: { name: `disk-${major}-${i}` },
        spec: {
          capacity: { storage: '1Gi' },
          accessModes: ['ReadWriteOnce'],
          storageClassName: 'shop-disks',
          hostPath: { path: `/disks/${i}` },
        },
      })
    }
  })
  afterAll(async () => {
    await cluster.client.delete(namespace, { name: ns })
    await cluster.client.delete(customResourceDefinition, CRD)
    for (const i of [0, 1]) await cluster.client.delete(persistentVolume, { name: `disk-${major}-${i}` })
    await until(
      'the namespace is gone',
      async () => !(await cluster.client.list(namespace)).items.some(({ metadata }) => metadata.name === ns),
    )
  })

  it('lints and renders the chart, and refuses values that its schema forbids', async () => {
    expect(await succeed('lint', CHART)).toContain('0 chart(s) failed')
    expect(await succeed('template', 'rel', CHART)).toContain('kind: StatefulSet')
    const { code, err } = await helm('template', 'rel', CHART, '--set', 'replicas=0')
    expect(code).not.toBe(0)
    expect(err).toMatch(/replicas.*(greater than or equal to 1|minimum: got 0, want 1)/s)
  })

  it('names a kind that the server does not have', async () => {
    const { code, err } = await helm('install', 'rel', CHART, '--create-namespace', '--dry-run=server')
    expect(code).not.toBe(0)
    expect(err).toContain('no matches for kind "Coupon" in version "shop.example.com/v1"')
    expect((await cluster.client.list(namespace)).items.map(({ metadata }) => metadata.name)).not.toContain(ns)
  })

  it('installs definitions, hooks and objects, and waits until they are ready', async () => {
    const out = await succeed('install', 'rel', CHART, '--create-namespace', '--wait-for-jobs', ...WAIT)
    expect(out).toContain('STATUS: deployed')
    expect(out).toMatch(/Kubernetes v1\.36\./)
    expect((await cluster.client.get(deployment, shop)).status.readyReplicas).toBe(2)
    expect((await cluster.client.get(statefulSet, { namespace: ns, name: 'rel-shop-database' })).status.readyReplicas).toBe(2)
    expect((await cluster.client.get(job, { namespace: ns, name: 'rel-shop-pre-install' })).status.succeeded).toBe(1)
    expect((await cluster.client.get(horizontalPodAutoscaler, shop)).spec.maxReplicas).toBe(6)
    const { data } = await cluster.client.get(configMap, shop)
    expect(data).toEqual({
      ...{ greeting: 'hello', kubernetes: '36', nodes: '2' },
      ...{ 'has-autoscaling': 'true', 'has-pod-security-policies': 'false' },
    })
  })

  it('lists the release and says all of it', async () => {
    const [release] = JSON.parse(await succeed('list', '-o', 'json')) as { name: string; status: string; chart: string }[]
    expect(release).toMatchObject({ name: 'rel', status: 'deployed', chart: 'shop-1.2.0' })
    const all = await succeed('get', 'all', 'rel')
    for (const kind of ['Ingress', 'CronJob', 'PodDisruptionBudget', 'NetworkPolicy', 'Coupon', 'RoleBinding'])
      expect(all).toContain(`kind: ${kind}\n`)
    const resources = await succeed('status', 'rel', ...(major === 3 ? ['--show-resources'] : []))
    expect(resources).toMatch(/==> v1\/Pod\(related\)\n.*READY.*\n(rel-shop-.*1\/1 +Running.*\n)+/)
    expect(await succeed('get', 'values', 'rel', '--all', '-o', 'json')).toContain('"greeting":"hello"')
  })

  it('has the server check what it renders', async () => {
    const args = ['template', 'rel', CHART, '--is-upgrade', ...(major === 3 ? ['--validate'] : ['--dry-run=server'])]
    expect(await succeed(...args)).toContain('kind: Coupon')
    const preview = await succeed('upgrade', 'rel', CHART, '--dry-run=server', '--set', 'greeting=preview')
    expect(preview).toMatch(/nodes: "2"/)
    expect(await greeting()).toBe('hello')
  })

  it('runs the chart’s tests, and tells when one fails', async () => {
    expect(await succeed('test', 'rel')).toMatch(/Phase: +Succeeded/)
    await succeed('upgrade', 'rel', CHART, '--reuse-values', '--no-hooks', '--set', 'testExitCode=1')
    const failed = await helm('test', 'rel')
    expect(failed.code).not.toBe(0)
    expect(failed.out + failed.err).toMatch(/rel-shop-answers.*[Ff]ailed/s)
  })

  it('upgrades what changed, and leaves what others did and what was made once', async () => {
    const { data: made } = await cluster.client.get(secret, shop)
    const labels = { 'example.com/by': 'hand' }
    await cluster.client.patch(deployment, shop, { type: 'merge', body: { metadata: { labels } } })
    await cluster.client.patch(deployment, shop, { type: 'merge', body: { spec: { replicas: 3 } } }, { subresource: 'scale' })
    const out = await succeed('upgrade', '--install', 'rel', CHART, '--set', 'greeting=servus', ...WAIT)
    expect(out).toContain('STATUS: deployed')
    expect(await greeting()).toBe('servus')
    expect((await cluster.client.get(secret, shop)).data).toEqual(made)
    const upgraded = await cluster.client.get(deployment, shop)
    expect(upgraded.metadata.labels).toMatchObject({ ...labels, 'app.kubernetes.io/version': '3.4.1' })
    expect(upgraded.spec.replicas).toBe(3)
    expect(upgraded.status.observedGeneration).toBe(upgraded.metadata.generation)
    const jobs = await cluster.client.list(job, { namespace: ns })
    expect(jobs.items.map(({ metadata }) => metadata.name)).toEqual(['rel-shop-pre-install'])
  })

  it('gives up waiting for pods that do not get ready, while the old ones go on', async () => {
    const broken = 'missingImage=true,image=registry.example.com/shop:broken'
    const { code, err } = await helm('upgrade', 'rel', CHART, '--reuse-values', '--set', broken, '--wait', '--timeout', '4s')
    expect(code).not.toBe(0)
    expect(err).toContain('context deadline exceeded')
    expect((await history()).at(-1)).toMatch(/^\d failed Upgrade "rel" failed/)
    // Helm's time may be over before the cluster has come that far.
    const within = { timeout: 60_000, interval: 200 }
    await expect
      .poll(async () => (await cluster.client.get(deployment, shop)).status, within)
      .toMatchObject({ updatedReplicas: 1, readyReplicas: 3 })
    const whyPending = async () => {
      const [pending] = (await cluster.client.list(pod, { namespace: ns, fieldSelector: 'status.phase=Pending' })).items
      return pending?.status.containerStatuses?.[0]?.state.waiting?.reason
    }
    await expect.poll(whyPending, within).toBe('ImagePullBackOff')
    await succeed('rollback', 'rel', ...WAIT)
    expect((await cluster.client.get(deployment, shop)).status).toMatchObject({ replicas: 3, readyReplicas: 3 })
  })

  it('takes an upgrade back that failed', async () => {
    const values = 'migrationExitCode=1,greeting=never'
    const { code, err } = await helm('upgrade', 'rel', CHART, atomic, '--reuse-values', '--set', values, '--timeout', '100s')
    expect(code).not.toBe(0)
    expect(err).toMatch(/has been rolled back due to (atomic|rollback-on-failure) being set/)
    expect(err).toMatch(/rel-shop-post-upgrade.*([Ff]ailed|BackoffLimitExceeded)/s)
    expect((await history()).slice(-2)).toEqual([
      expect.stringMatching(/ failed Upgrade "rel" failed$/),
      expect.stringMatching(/ deployed Rollback to \d$/),
    ])
    expect(await greeting()).toBe('servus')
  })

  it('says which field cannot be changed', async () => {
    const { code, err } = await helm('upgrade', 'rel', CHART, '--reuse-values', '--set', 'database.size=2Gi')
    expect(code).not.toBe(0)
    expect(err).toContain(
      'StatefulSet.apps "rel-shop-database" is invalid: spec: Forbidden: updates to statefulset spec for fields other than',
    )
  })

  it('rolls back to the first revision', async () => {
    await succeed('rollback', 'rel', '1', ...WAIT, ...(major === 3 ? [] : ['--force-conflicts']))
    expect(await greeting()).toBe('hello')
    expect((await history()).at(-1)).toMatch(/ deployed Rollback to 1/)
    expect((await history())[0]).toBe('1 superseded Install complete')
  })

  if (major === 4)
    it('applies on the server, owns what it applied, and stops at fields that others own', async () => {
      const { metadata } = await cluster.client.get(deployment, shop)
      expect(metadata.managedFields?.map(({ manager, operation }) => `${manager} ${operation}`)).toContain('helm Apply')
      const image = { spec: { template: { spec: { containers: [{ name: 'web', image: 'by-hand' }] } } } }
      await cluster.client.patch(deployment, shop, { type: 'strategic', body: image }, { fieldManager: 'hand' })
      const upgrade = ['upgrade', 'rel', CHART, '--set', 'image=registry.example.com/shop:4', ...WAIT]
      const { code, err } = await helm(...upgrade)
      expect(code).not.toBe(0)
      expect(err).toContain('conflict with "hand"')
      expect(err).toContain('.spec.template.spec.containers[name="web"].image')
      await succeed(...upgrade, '--force-conflicts')
      expect((await cluster.client.get(deployment, shop)).spec.template.spec.containers[0]?.image).toBe('registry.example.com/shop:4')
    })

  it('is told what an account of the cluster may not do', async () => {
    await cluster.client.create(serviceAccount, { metadata: { namespace: ns, name: 'visitor' } })
    const token = await tokenOf(cluster, ns, 'visitor')
    const { code, err } = await helm('list', '--kubeconfig', await kubeconfigOf(cluster, { token }))
    expect(code).not.toBe(0)
    expect(err).toContain(
      `secrets is forbidden: User "system:serviceaccount:${ns}:visitor" cannot list resource "secrets" in API group "" in the namespace "${ns}"`,
    )
  })

  it('uninstalls all but hooks, claims and definitions', async () => {
    expect(await succeed('uninstall', 'rel', ...WAIT)).toContain('release "rel" uninstalled')
    const { items: pods } = await cluster.client.list(pod, { namespace: ns })
    const live = pods.filter(({ metadata }) => !metadata.deletionTimestamp).map(({ metadata }) => metadata.name)
    expect(
      live.every((name) => /answers|pre-install|post-upgrade/.test(name)),
      live.join(),
    ).toBe(true)
    expect((await cluster.client.list(deployment, { namespace: ns })).items).toEqual([])
    expect((await cluster.client.list(secret, { namespace: ns })).items).toEqual([])
    await cluster.client.get(customResourceDefinition, CRD)
    expect(JSON.parse(await succeed('list', '--all-namespaces', '-o', 'json'))).toEqual([])
  })

  it('leaves nothing of an installation that failed', async () => {
    const { code, err } = await helm('install', 'rel', CHART, atomic, '--set', 'migrationExitCode=1', '--timeout', '100s')
    expect(code).not.toBe(0)
    expect(err).toMatch(/has been uninstalled due to (atomic|rollback-on-failure) being set/)
    expect((await cluster.client.list(deployment, { namespace: ns })).items).toEqual([])
    expect(JSON.parse(await succeed('list', '-o', 'json'))).toEqual([])
  })
})
