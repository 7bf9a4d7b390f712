import { describe, expect, it } from 'vitest'
import { controllerRevision } from '../../api/apps/v1/controller-revision.ts'
import { statefulSet } from '../../api/apps/v1/stateful-set.ts'
import type { StatefulSet } from '../../api/apps/v1/types.gen.ts'
import { persistentVolumeClaim } from '../../api/core/v1/persistent-volume-claim.ts'
import { pod as podKind } from '../../api/core/v1/pod.ts'
import type { PersistentVolumeClaim, Pod } from '../../api/core/v1/types.gen.ts'
import type { Draft } from '../../api/meta/v1/object.ts'
import { controllerOf, isBeingDeleted, isControlledBy } from '../../machinery/object.ts'
import { hasReason } from '../../machinery/status.ts'
import { NAMESPACE, startCluster, type ClusterOptions, type TestCluster } from '../testing/cluster.ts'
import { statefulSetOf, template } from '../testing/objects.ts'

const only = ['statefulset-controller']
const db = { namespace: NAMESPACE, name: 'db' }
const start = (options: Partial<ClusterOptions> = {}) =>
  startCluster({ only, hollow: { nodes: 2, startDelay: 1000, stopDelay: 1000 }, ...options })

const create = async (cluster: TestCluster, spec: Draft<StatefulSet['spec']> = {}) => {
  const made = await cluster.client.create(statefulSet, statefulSetOf('db', { replicas: 3, ...spec }))
  await cluster.quiet()
  return made
}
const change = async (cluster: TestCluster, spec: Draft<StatefulSet['spec']>) => {
  await cluster.client.patch(statefulSet, db, { type: 'merge', body: { spec } })
  await cluster.quiet()
}
const image = (cluster: TestCluster, name: string) => change(cluster, { template: template({ app: 'db' }, name) })
const podsOf = async ({ client }: TestCluster): Promise<readonly Pod[]> => (await client.list(podKind, { namespace: NAMESPACE })).items
const names = async (cluster: TestCluster) =>
  (await podsOf(cluster))
    .filter((pod) => !isBeingDeleted(pod))
    .map(({ metadata }) => metadata.name)
    .sort()
const images = async (cluster: TestCluster) =>
  Object.fromEntries(
    (await podsOf(cluster)).filter((pod) => !isBeingDeleted(pod)).map(({ metadata, spec }) => [metadata.name, spec.containers[0]?.image]),
  )
const statusOf = async ({ client }: TestCluster) => (await client.get(statefulSet, db)).status
const claimsOf = async ({ client }: TestCluster) =>
  (await client.list(persistentVolumeClaim, { namespace: NAMESPACE })).items.map(({ metadata }) => metadata.name).sort()
const volumeClaimTemplates: Draft<PersistentVolumeClaim>[] = [
  {
    metadata: { name: 'data', labels: { disk: 'fast' } },
    spec: { accessModes: ['ReadWriteOnce'], resources: { requests: { storage: '1Gi' } } },
  },
]

describe('the StatefulSet controller', () => {
  it('creates its pods one after the other, each when those before it are ready', async () => {
    await using cluster = await start()
    await create(cluster)
    expect(await names(cluster)).toEqual(['db-0'])
    await cluster.advance(1000)
    expect(await names(cluster)).toEqual(['db-0', 'db-1'])
    await cluster.advance(1000)
    expect(await names(cluster)).toEqual(['db-0', 'db-1', 'db-2'])
    await cluster.advance(1000)
    const [first] = await podsOf(cluster)
    expect(first && controllerOf(first)).toMatchObject({ kind: 'StatefulSet', name: 'db', blockOwnerDeletion: true })
    expect(first?.spec).toMatchObject({ hostname: 'db-0', subdomain: 'db' })
    const { currentRevision = '' } = await statusOf(cluster)
    expect(currentRevision).toMatch(/^db-[a-z0-9]+$/)
    expect(first?.metadata.labels).toEqual({
      app: 'db',
      'apps.kubernetes.io/pod-index': '0',
      'controller-revision-hash': currentRevision,
      'statefulset.kubernetes.io/pod-name': 'db-0',
    })
    expect(await statusOf(cluster)).toEqual({
      replicas: 3,
      readyReplicas: 3,
      availableReplicas: 3,
      currentReplicas: 3,
      updatedReplicas: 3,
      currentRevision,
      updateRevision: currentRevision,
      collisionCount: 0,
      observedGeneration: 1,
    })
    expect(await cluster.events('db')).toContain('SuccessfulCreate: create Pod db-0 in StatefulSet db successful')
    expect(cluster.complaints).toEqual([])
    const { length } = cluster.writes
    await cluster.advance(3_600_000)
    expect(cluster.writes).toHaveLength(length)
  })

  it('goes down from the greatest number, one at a time, and halts while a pod is not ready', async () => {
    await using cluster = await start()
    await create(cluster)
    await cluster.advance(5000)
    cluster.nodes.behaviour = ({ metadata }) => (metadata.name === 'db-0' ? 'unready' : 'ready')
    cluster.nodes.refresh()
    await cluster.quiet()
    await change(cluster, { replicas: 1 })
    await cluster.advance(10_000)
    expect(await names(cluster)).toEqual(['db-0', 'db-1', 'db-2'])
    cluster.nodes.behaviour = () => 'ready'
    cluster.nodes.refresh()
    await cluster.quiet()
    expect(await names(cluster)).toEqual(['db-0', 'db-1'])
    expect(await podsOf(cluster)).toHaveLength(3)
    await cluster.advance(1000)
    expect(await names(cluster)).toEqual(['db-0'])
    expect(await cluster.events('db')).toContain('SuccessfulDelete: delete Pod db-2 in StatefulSet db successful')
  })

  it('creates and removes all at once where pods are Parallel', async () => {
    await using cluster = await start()
    cluster.nodes.behaviour = () => 'unready'
    await create(cluster, { podManagementPolicy: 'Parallel' })
    expect(await names(cluster)).toEqual(['db-0', 'db-1', 'db-2'])
    await change(cluster, { replicas: 0 })
    expect(await names(cluster)).toEqual([])
  })

  it('counts from the number that it is told to begin with', async () => {
    await using cluster = await start()
    await create(cluster, { replicas: 2, ordinals: { start: 5 } })
    await cluster.advance(5000)
    expect(await names(cluster)).toEqual(['db-5', 'db-6'])
    await change(cluster, { ordinals: { start: 6 } })
    await cluster.advance(10_000)
    expect(await names(cluster)).toEqual(['db-6', 'db-7'])
  })

  it('updates from the greatest number down, and finds the revision of a template that it had before', async () => {
    await using cluster = await start()
    await create(cluster)
    await cluster.advance(5000)
    const { currentRevision: first } = await statusOf(cluster)
    await image(cluster, 'app:2')
    expect(await names(cluster)).toEqual(['db-0', 'db-1'])
    const { updateRevision: second } = await statusOf(cluster)
    expect(second).not.toBe(first)
    expect((await statusOf(cluster)).currentRevision).toBe(first)
    await cluster.advance(2500)
    expect(await images(cluster)).toMatchObject({ 'db-0': 'app:1', 'db-2': 'app:2' })
    await cluster.advance(10_000)
    expect(await images(cluster)).toEqual({ 'db-0': 'app:2', 'db-1': 'app:2', 'db-2': 'app:2' })
    expect(await statusOf(cluster)).toMatchObject({
      currentRevision: second,
      updateRevision: second,
      currentReplicas: 3,
      updatedReplicas: 3,
    })
    await image(cluster, 'app:1')
    await cluster.advance(20_000)
    expect(await statusOf(cluster)).toMatchObject({ currentRevision: first, updateRevision: first })
    const { items } = await cluster.client.list(controllerRevision, { namespace: NAMESPACE })
    expect(Object.fromEntries(items.map(({ metadata, revision }) => [metadata.name, revision]))).toEqual({
      [first ?? '']: 3,
      [second ?? '']: 2,
    })
  })

  it('updates only from the partition on, and makes others again as they were', async () => {
    await using cluster = await start()
    await create(cluster)
    await cluster.advance(5000)
    await change(cluster, { updateStrategy: { type: 'RollingUpdate', rollingUpdate: { partition: 2 } } })
    await image(cluster, 'app:2')
    await cluster.advance(20_000)
    expect(await images(cluster)).toEqual({ 'db-0': 'app:1', 'db-1': 'app:1', 'db-2': 'app:2' })
    for (const name of ['db-0', 'db-2']) await cluster.client.delete(podKind, { namespace: NAMESPACE, name })
    await cluster.advance(20_000)
    expect(await images(cluster)).toEqual({ 'db-0': 'app:1', 'db-1': 'app:1', 'db-2': 'app:2' })
    expect(await statusOf(cluster)).toMatchObject({ currentReplicas: 2, updatedReplicas: 1 })
    await change(cluster, { updateStrategy: { type: 'RollingUpdate', rollingUpdate: { partition: 0 } } })
    await cluster.advance(20_000)
    expect(await images(cluster)).toEqual({ 'db-0': 'app:2', 'db-1': 'app:2', 'db-2': 'app:2' })
  })

  it('updates as many at a time as may be unavailable', async () => {
    await using cluster = await start()
    await create(cluster, {
      replicas: 5,
      podManagementPolicy: 'Parallel',
      // Rounded down.
      updateStrategy: { type: 'RollingUpdate', rollingUpdate: { maxUnavailable: '50%' } },
    })
    await cluster.advance(5000)
    await image(cluster, 'app:2')
    expect(await names(cluster)).toEqual(['db-0', 'db-1', 'db-2'])
    await cluster.advance(20_000)
    expect(new Set(Object.values(await images(cluster)))).toEqual(new Set(['app:2']))
  })

  it('gets over a broken revision where pods are Parallel', async () => {
    await using cluster = await start()
    await create(cluster, { podManagementPolicy: 'Parallel' })
    await cluster.advance(5000)
    cluster.nodes.behaviour = ({ spec }) => (spec.containers[0]?.image === 'app:bad' ? 'unready' : 'ready')
    await image(cluster, 'app:bad')
    await cluster.advance(20_000)
    expect(await images(cluster)).toEqual({ 'db-0': 'app:1', 'db-1': 'app:1', 'db-2': 'app:bad' })
    await image(cluster, 'app:3')
    await cluster.advance(30_000)
    expect(await images(cluster)).toEqual({ 'db-0': 'app:3', 'db-1': 'app:3', 'db-2': 'app:3' })
  })

  it('waits for pods to be deleted where it is told to', async () => {
    await using cluster = await start()
    await create(cluster, { updateStrategy: { type: 'OnDelete' } })
    await cluster.advance(5000)
    await image(cluster, 'app:2')
    await cluster.advance(20_000)
    expect(new Set(Object.values(await images(cluster)))).toEqual(new Set(['app:1']))
    await cluster.client.delete(podKind, { namespace: NAMESPACE, name: 'db-1' })
    await cluster.advance(10_000)
    expect(await images(cluster)).toEqual({ 'db-0': 'app:1', 'db-1': 'app:2', 'db-2': 'app:1' })
  })

  it('counts a pod once it has been ready for long enough, and goes on only then', async () => {
    await using cluster = await start()
    await create(cluster, { minReadySeconds: 30 })
    await cluster.advance(20_000)
    expect(await names(cluster)).toEqual(['db-0'])
    await cluster.advance(12_000)
    expect(await names(cluster)).toEqual(['db-0', 'db-1'])
    expect(await statusOf(cluster)).toMatchObject({ availableReplicas: 1 })
  })

  it('makes a pod again that ended, however it ended', async () => {
    await using cluster = await start()
    await create(cluster, { replicas: 1 })
    await cluster.advance(2000)
    for (const phase of ['Failed', 'Succeeded']) {
      const [pod] = await podsOf(cluster)
      const at = { namespace: NAMESPACE, name: 'db-0' }
      await cluster.client.patch(podKind, at, { type: 'merge', body: { status: { phase } } }, { subresource: 'status' })
      await cluster.advance(5000)
      const [next] = await podsOf(cluster)
      expect(next?.metadata.uid).not.toBe(pod?.metadata.uid)
      expect(next?.status.phase).toBe('Running')
    }
    const events = await cluster.events('db')
    expect(events).toContain('RecreatingFailedPod: StatefulSet test/db is recreating failed Pod db-0')
    expect(events).toContain('RecreatingTerminatedPod: StatefulSet test/db is recreating terminated Pod db-0')
  })

  it('makes claims for its pods, and keeps them', async () => {
    await using cluster = await start()
    await create(cluster, { replicas: 2, volumeClaimTemplates })
    await cluster.advance(5000)
    expect(await claimsOf(cluster)).toEqual(['data-db-0', 'data-db-1'])
    const [pod] = await podsOf(cluster)
    expect(pod?.spec.volumes?.[0]).toEqual({ name: 'data', persistentVolumeClaim: { claimName: 'data-db-0' } })
    const claim = await cluster.client.get(persistentVolumeClaim, { namespace: NAMESPACE, name: 'data-db-0' })
    expect(claim.metadata.labels).toEqual({ disk: 'fast', app: 'db' })
    expect(claim.metadata.ownerReferences).toBeUndefined()
    expect(await cluster.events('db')).toContain('SuccessfulCreate: create Claim data-db-0 Pod db-0 in StatefulSet db success')
    await change(cluster, { replicas: 0 })
    await cluster.advance(10_000)
    expect(await claimsOf(cluster)).toEqual(['data-db-0', 'data-db-1'])
  })

  it('lets claims go with the pods and the set where it is told to', async () => {
    await using cluster = await start({ only: [...only, 'garbage-collector-controller', 'persistentvolumeclaim-protection-controller'] })
    const policy = { whenDeleted: 'Delete', whenScaled: 'Delete' }
    const made = await create(cluster, { replicas: 2, volumeClaimTemplates, persistentVolumeClaimRetentionPolicy: policy })
    await cluster.advance(5000)
    const claim = await cluster.client.get(persistentVolumeClaim, { namespace: NAMESPACE, name: 'data-db-1' })
    expect(isControlledBy(claim, made)).toBe(true)
    await change(cluster, { replicas: 1 })
    await cluster.advance(5000)
    expect(await claimsOf(cluster)).toEqual(['data-db-0'])
    await change(cluster, { replicas: 2 })
    await cluster.advance(5000)
    expect(await claimsOf(cluster)).toEqual(['data-db-0', 'data-db-1'])
    await change(cluster, { persistentVolumeClaimRetentionPolicy: { whenDeleted: 'Delete', whenScaled: 'Retain' } })
    await change(cluster, { replicas: 1 })
    await cluster.advance(5000)
    expect(await claimsOf(cluster)).toEqual(['data-db-0', 'data-db-1'])
    await cluster.client.delete(statefulSet, db, { propagationPolicy: 'Background' })
    await cluster.advance(10_000)
    expect(await claimsOf(cluster)).toEqual([])
  })

  it('leaves a claim that another controller has, but not what it said of it itself', async () => {
    await using cluster = await start()
    const persistentVolumeClaimRetentionPolicy = { whenDeleted: 'Delete' }
    const made = await create(cluster, { replicas: 1, volumeClaimTemplates, persistentVolumeClaimRetentionPolicy })
    await cluster.advance(3000)
    const at = { namespace: NAMESPACE, name: 'data-db-0' }
    expect(isControlledBy(await cluster.client.get(persistentVolumeClaim, at), made)).toBe(true)
    const other = { apiVersion: 'example.com/v1', kind: 'Store', name: 'other', uid: 'x', controller: true }
    const own = { apiVersion: 'apps/v1', kind: 'StatefulSet', name: 'db', uid: made.metadata.uid }
    await cluster.client.patch(persistentVolumeClaim, at, { type: 'merge', body: { metadata: { ownerReferences: [own, other] } } })
    await cluster.quiet()
    expect((await cluster.client.get(persistentVolumeClaim, at)).metadata.ownerReferences).toEqual([other])
  })

  it('adopts a pod of its name that it selects, not one of another name, and lets go of one that it no longer selects', async () => {
    await using cluster = await start()
    const { client } = cluster
    const orphan = (name: string) => ({
      metadata: { name, namespace: NAMESPACE, labels: { app: 'db' } },
      spec: { containers: [{ name: 'app', image: 'app:1' }] },
    })
    await client.create(podKind, orphan('db-0'))
    await client.create(podKind, orphan('stray'))
    const made = await create(cluster, { replicas: 1, updateStrategy: { type: 'OnDelete' } })
    await cluster.advance(3000)
    const adopted = await client.get(podKind, { namespace: NAMESPACE, name: 'db-0' })
    expect(isControlledBy(adopted, made)).toBe(true)
    expect(adopted.metadata.labels?.['apps.kubernetes.io/pod-index']).toBe('0')
    expect(controllerOf(await client.get(podKind, { namespace: NAMESPACE, name: 'stray' }))).toBeUndefined()
    await client.patch(podKind, adopted.metadata, { type: 'merge', body: { metadata: { labels: { app: 'other' } } } })
    await cluster.quiet()
    expect(controllerOf(await client.get(podKind, { namespace: NAMESPACE, name: 'db-0' }))).toBeUndefined()
  })

  it('keeps as many revisions as it is told to', async () => {
    await using cluster = await start()
    await create(cluster, { replicas: 1, revisionHistoryLimit: 1 })
    for (const version of [2, 3, 4]) {
      await cluster.advance(10_000)
      await image(cluster, `app:${version}`)
    }
    await cluster.advance(10_000)
    const { items } = await cluster.client.list(controllerRevision, { namespace: NAMESPACE })
    expect(new Set(items.map(({ revision }) => revision))).toEqual(new Set([3, 4]))
  })

  it('leaves its pods alone while it is being deleted', async () => {
    await using cluster = await start()
    await create(cluster, { replicas: 1 })
    await cluster.advance(3000)
    await cluster.client.patch(statefulSet, db, { type: 'merge', body: { metadata: { finalizers: ['example.com/hold'] } } })
    await cluster.client.delete(statefulSet, db)
    await cluster.client.delete(podKind, { namespace: NAMESPACE, name: 'db-0' })
    await cluster.advance(10_000)
    await expect(cluster.client.get(podKind, { namespace: NAMESPACE, name: 'db-0' })).rejects.toSatisfy((error) =>
      hasReason(error, 'NotFound'),
    )
  })
})
