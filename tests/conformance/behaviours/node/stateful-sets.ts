/** StatefulSets with pods that run: their order, their updates, and what becomes of a pod that fails. */
import assert from 'node:assert/strict'
import { controllerRevision, pod, service, statefulSet } from '../../../../electron/api/kinds.gen.ts'
import type { StatefulSet } from '../../../../electron/api/apps/v1/types.gen.ts'
import type { Pod } from '../../../../electron/api/core/v1/types.gen.ts'
import { eventually, type BehaviourContext, type Behaviours } from '../../lib/behaviour.ts'
import { createPod, execIn, holds, isReady, shell, STAY, untilPod } from '../../lib/running.ts'
import { startWatch, type Watching } from '../../lib/watching.ts'
import { untilGone, updateObject } from '../../lib/whole-api.ts'
import { podsOf, selectorOf, untilReady } from '../../lib/workloads.ts'

const LABELS = { app: 'ordered' }
const NAME = 'ordered'
/** An image that every node has beside the tests' own. */
const OTHER = 'flotilla.local/demo:1'
const REVISION = 'controller-revision-hash'

const at = ({ namespace }: BehaviourContext, name = NAME) => ({ name, namespace })
const podNames = (count: number) => Array.from({ length: count }, (_, i) => `${NAME}-${i}`)

/** Its pods are Ready while they have a file `/ready`, which they make. */
async function createSet(context: BehaviourContext, spec: object): Promise<StatefulSet> {
  const { client } = context
  await client.create(service, { metadata: at(context), spec: { clusterIP: 'None', selector: LABELS, ports: [{ port: 80 }] } })
  const readinessProbe = { exec: { command: ['test', '-e', '/ready'] }, periodSeconds: 1, failureThreshold: 1 }
  const containers = [shell(context, `touch /ready; ${STAY}`, { readinessProbe })]
  const template = { metadata: { labels: LABELS }, spec: { terminationGracePeriodSeconds: 1, containers } }
  const selector = { matchLabels: LABELS }
  return client.create(statefulSet, { metadata: at(context), spec: { selector, serviceName: NAME, template, ...spec } })
}

const scale = (context: BehaviourContext, replicas: number) =>
  updateObject(context, statefulSet, at(context), ({ spec }) => void (spec.replicas = replicas))

const setImage = (context: BehaviourContext, image: string) =>
  updateObject(context, statefulSet, at(context), ({ spec }) => {
    const [container] = spec.template.spec?.containers ?? []
    assert.ok(container)
    container.image = image
  })

const setPartition = (context: BehaviourContext, partition: number) =>
  updateObject(
    context,
    statefulSet,
    at(context),
    ({ spec }) => void (spec.updateStrategy = { type: 'RollingUpdate', rollingUpdate: { partition } }),
  )

const untilSet = (context: BehaviourContext, what: string, wanted: (set: StatefulSet) => boolean) =>
  eventually(context.signal, `the set: ${what}`, async () => {
    const set = await context.client.get(statefulSet, at(context))
    return wanted(set) ? set : null
  })

const byName = (pods: readonly Pod[]) => new Map(pods.map((one) => [one.metadata.name, one]))
const imagesOf = (pods: readonly Pod[]) => podNames(pods.length).map((name) => byName(pods).get(name)?.spec.containers[0]?.image)
const revisionsOf = (pods: readonly Pod[]) => podNames(pods.length).map((name) => byName(pods).get(name)?.metadata.labels?.[REVISION])

async function readiness(context: BehaviourContext, name: string, ready: boolean): Promise<void> {
  const found = await context.client.get(pod, at(context, name))
  await execIn(context, found, ready ? 'touch /ready' : 'rm /ready')
  await untilPod(context, found, ready ? 'is ready' : 'is not ready', (now) => isReady(now) === ready)
}

async function watchPods({ client, namespace, signal }: BehaviourContext): Promise<Watching<Pod>> {
  const { resourceVersion = '' } = (await client.list(pod, { namespace })).metadata
  return startWatch(client, pod, { namespace, labelSelector: selectorOf(LABELS), resourceVersion, signal })
}

/** All at the update revision, which is the current one. */
const untilUpdated = (context: BehaviourContext) =>
  untilSet(
    context,
    'is updated',
    ({ metadata, spec, status }) =>
      status.observedGeneration === metadata.generation &&
      status.currentRevision === status.updateRevision &&
      status.updatedReplicas === spec.replicas &&
      status.readyReplicas === spec.replicas,
  )

export const behaviours: Behaviours = {
  async 'statefulset-scale-ordered'(context) {
    const { signal } = context
    await using up = await watchPods(context)
    await createSet(context, { replicas: 1 })
    await untilReady(context, LABELS, 1)
    await readiness(context, 'ordered-0', false)
    await scale(context, 3)
    await holds(context, 5, async () => assert.equal((await podsOf(context, LABELS)).length, 1, 'it went on past a pod that is not ready'))
    await readiness(context, 'ordered-0', true)
    await untilReady(context, LABELS, 3)
    const order = up.seen.flatMap(({ type, object }) => (type === 'ADDED' ? object.metadata.name : []))
    assert.deepEqual(order, podNames(3))
    const firstReady = podNames(3).map((name) => up.seen.findIndex(({ object }) => object.metadata.name === name && isReady(object)))
    const added = podNames(3).map((name) => up.seen.findIndex(({ type, object }) => type === 'ADDED' && object.metadata.name === name))
    for (const i of [1, 2])
      assert.ok((firstReady[i - 1] ?? -1) < (added[i] ?? -1), `${NAME}-${i} was made before ${NAME}-${i - 1} was ready`)

    for (const name of podNames(3)) await readiness(context, name, false)
    await using down = await watchPods(context)
    await scale(context, 0)
    await holds(context, 5, async () => assert.equal((await podsOf(context, LABELS)).length, 3, 'it went on past a pod that is not ready'))
    // The last one may go as it is once no other stands before it.
    for (const name of podNames(2)) await readiness(context, name, true)
    await eventually(signal, 'no pod is left', async () => (await podsOf(context, LABELS)).length === 0)
    await eventually(signal, 'all pods are gone', () => down.seen.filter(({ type }) => type === 'DELETED').length === 3)
    const gone = down.seen.flatMap(({ type, object }) => (type === 'DELETED' ? object.metadata.name : []))
    assert.deepEqual(gone, podNames(3).reverse())
  },

  async 'statefulset-burst-scaling'(context) {
    await createSet(context, { replicas: 1, podManagementPolicy: 'Parallel' })
    await untilReady(context, LABELS, 1)
    await readiness(context, 'ordered-0', false)
    await scale(context, 3)
    await eventually(context.signal, 'three pods run', async () => {
      const pods = await podsOf(context, LABELS)
      return pods.length === 3 && pods.every(({ status }) => status.phase === 'Running')
    })
    await readiness(context, 'ordered-0', true)
    await untilReady(context, LABELS, 3)
    await readiness(context, 'ordered-0', false)
    await scale(context, 0)
    await eventually(context.signal, 'no pod is left', async () => (await podsOf(context, LABELS)).length === 0)
  },

  async 'statefulset-rolling-update-rollback'(context) {
    const { client, namespace } = context
    const revisions = async () => (await client.list(controllerRevision, { namespace, labelSelector: selectorOf(LABELS) })).items.length
    await createSet(context, { replicas: 3 })
    await untilReady(context, LABELS, 3)
    const before = await untilUpdated(context)
    const { currentRevision: old = '' } = before.status
    assert.notEqual(old, '')

    const roll = async (image: string, expected: (revision: string) => void) => {
      await using watching = await watchPods(context)
      await setImage(context, image)
      const begun = await untilSet(context, 'has another update revision', ({ status }) => status.updateRevision !== status.currentRevision)
      expected(begun.status.updateRevision ?? '')
      const done = await untilUpdated(context)
      assert.equal(done.status.currentRevision, begun.status.updateRevision)
      const pods = await untilReady(context, LABELS, 3)
      assert.deepEqual(imagesOf(pods), [image, image, image])
      assert.deepEqual(revisionsOf(pods), Array(3).fill(begun.status.updateRevision))
      const order = watching.seen.flatMap(({ type, object }) => (type === 'ADDED' ? object.metadata.name : []))
      assert.deepEqual(order, podNames(3).reverse())
      return done
    }
    await roll(OTHER, (revision) => assert.notEqual(revision, old))
    assert.equal(await revisions(), 2)
    const back = await roll(context.image, (revision) => assert.equal(revision, old))
    assert.equal(back.status.currentRevision, old)
    assert.equal(await revisions(), 2)
  },

  async 'statefulset-partitioned-update'(context) {
    const { client, image } = context
    await createSet(context, { replicas: 3, updateStrategy: { type: 'RollingUpdate', rollingUpdate: { partition: 3 } } })
    await untilReady(context, LABELS, 3)
    const { currentRevision = '' } = (await untilUpdated(context)).status
    await setImage(context, OTHER)
    const { updateRevision = '' } = (
      await untilSet(context, 'has another update revision', ({ status }) => status.updateRevision !== status.currentRevision)
    ).status
    const expected = (images: string[], updated: number) => async () => {
      const pods = await podsOf(context, LABELS)
      assert.deepEqual(imagesOf(pods), images)
      const of = images.map((_, i) => (i >= images.length - updated ? updateRevision : currentRevision))
      assert.deepEqual(revisionsOf(pods), of)
    }
    await holds(context, 4, expected([image, image, image], 0))

    await setPartition(context, 2)
    const untilImages = async (images: string[], updated: number) => {
      await eventually(context.signal, `the images are ${images.join(', ')}`, async () => {
        const pods = await podsOf(context, LABELS)
        return pods.length === 3 && pods.every(isReady) && imagesOf(pods).join() === images.join()
      })
      await expected(images, updated)()
    }
    await untilImages([image, image, OTHER], 1)
    await holds(context, 3, expected([image, image, OTHER], 1))
    for (const name of podNames(3)) {
      const { metadata } = await client.get(pod, at(context, name))
      await client.delete(pod, at(context, name))
      await eventually(context.signal, `${name} is made again`, async () => {
        const now = await client.get(pod, at(context, name))
        return now.metadata.uid !== metadata.uid && isReady(now)
      })
    }
    await untilImages([image, image, OTHER], 1)
    await setPartition(context, 1)
    await untilImages([image, OTHER, OTHER], 2)
    await setPartition(context, 0)
    await untilImages([OTHER, OTHER, OTHER], 3)
    assert.equal((await untilUpdated(context)).status.currentRevision, updateRevision)
  },

  async 'statefulset-recreate-failed-pod'(context) {
    const { client, signal } = context
    const port = [{ containerPort: 21017, hostPort: 21017 }]
    const blocker = await createPod(context, { containers: [shell(context, STAY, { ports: port })] }, { name: 'blocker' })
    const { spec } = await untilPod(context, blocker, 'runs', ({ status }) => status.phase === 'Running')
    await using watching = await watchPods(context)
    // Without the scheduler, which would keep it off the node.
    const containers = [shell(context, STAY, { ports: port })]
    const template = { metadata: { labels: LABELS }, spec: { terminationGracePeriodSeconds: 1, nodeName: spec.nodeName ?? '', containers } }
    await createSet(context, { replicas: 1, template })
    await watching.until('MODIFIED', ({ status }) => status.phase === 'Failed')
    const [failed] = watching.seen
    await watching.until('DELETED')
    await client.delete(pod, at(context, 'blocker'))
    await untilGone(context, pod, at(context, 'blocker'))
    await eventually(signal, 'the pod runs', async () => {
      const now = await client.get(pod, at(context, 'ordered-0'))
      return now.metadata.uid !== failed?.object.metadata.uid && now.status.phase === 'Running'
    })
  },
}
