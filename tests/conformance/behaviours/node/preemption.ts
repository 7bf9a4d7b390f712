/** Preemption: pods of higher priority in the place of lower ones, where there is no room for both. */
import assert from 'node:assert/strict'
import { node, pod, priorityClass, replicaSet } from '../../../../electron/api/kinds.gen.ts'
import type { Pod, PodSpec } from '../../../../electron/api/core/v1/types.gen.ts'
import type { Draft } from '../../../../electron/api/meta/v1/object.ts'
import { toUnits } from '../../../../electron/api/values/quantity.ts'
import { hasReason } from '../../../../electron/machinery/status.ts'
import { eventually, ignoreMissing, type BehaviourContext, type Behaviours } from '../../lib/behaviour.ts'
import { createPod, holds, isReady, shell, STAY, untilPod, type PodDraft } from '../../lib/running.ts'
import { podsOf, untilReady } from '../../lib/workloads.ts'
import { untilGone, updateObject } from '../../lib/whole-api.ts'

interface Room {
  readonly hostname: string
  /** So much of the node's memory, from 0 to 1, as a quantity. */
  readonly part: (share: number) => string
}

/** Every node, on which the rows' own pods are all that ask for memory. */
async function rooms({ client }: BehaviourContext): Promise<Room[]> {
  const { items } = await client.list(node)
  assert.ok(items.length > 0)
  return items.map(({ metadata, status }) => {
    const total = toUnits(status.allocatable?.['memory'] ?? '')
    return { hostname: metadata.labels?.['kubernetes.io/hostname'] ?? '', part: (share) => String(Math.floor(total * share)) }
  })
}

async function createClass(context: BehaviourContext, value: number): Promise<string> {
  const name = context.unique(`priority-${value}`)
  await context.client.create(priorityClass, { metadata: { name }, value })
  context.afterwards(() => context.client.delete(priorityClass, { name }).catch(ignoreMissing))
  return name
}

const asking = (context: BehaviourContext, memory: string, priorityClassName: string): Draft<PodSpec> => ({
  priorityClassName,
  containers: [shell(context, STAY, { resources: { requests: { memory } } })],
})

const on = ({ hostname }: Room): Draft<PodSpec> => ({ nodeSelector: { 'kubernetes.io/hostname': hostname } })

/** What a forced deletion leaves running holds its memory for a moment longer than the scheduler knows: the next row would meet it. */
function endsWithTheRow({ afterwards, client }: BehaviourContext, made: Pod): Pod {
  afterwards(async () => {
    await client.delete(pod, made.metadata).catch(ignoreMissing)
    const context = { client, signal: AbortSignal.timeout(30_000) }
    await eventually(context.signal, `${made.metadata.name} is gone`, () => isGone(context, made))
  })
  return made
}

const isGone = ({ client }: Pick<BehaviourContext, 'client'>, { metadata }: Pod): Promise<boolean> =>
  client.get(pod, metadata).then(
    ({ metadata: { uid } }) => uid !== metadata.uid,
    (error: unknown) => hasReason(error, 'NotFound'),
  )

/** A pod of this priority on each node, holding so much of it. */
const fill = (context: BehaviourContext, all: readonly Room[], share: number, className: string, draft?: PodDraft): Promise<Pod[]> =>
  Promise.all(
    all.map(async (room) => {
      const spec = { ...asking(context, room.part(share), className), ...on(room) }
      const made = endsWithTheRow(context, await createPod(context, spec, draft))
      return untilPod(context, made, 'is ready', isReady)
    }),
  )

const smallest = (all: readonly Room[], share: number): string => {
  const [least] = all.map(({ part }) => part(share)).sort((a, b) => Number(a) - Number(b))
  assert.ok(least)
  return least
}

const isLeaving = async ({ client }: BehaviourContext, { metadata }: Pod): Promise<boolean> => {
  const seen = await client.get(pod, metadata).catch(() => null)
  return seen?.metadata.uid !== metadata.uid || seen.metadata.deletionTimestamp !== undefined
}

const disruption = ({ status }: Pod) => status.conditions?.find(({ type }) => type === 'DisruptionTarget')

export const behaviours: Behaviours = {
  async 'preemption-basic'(context) {
    const all = await rooms(context)
    const [low, medium, high] = [await createClass(context, 1), await createClass(context, 100), await createClass(context, 1000)]
    const lows = await fill(context, all, 0.4, low)
    const mediums = await fill(context, all, 0.4, medium)
    const asked = endsWithTheRow(context, await createPod(context, asking(context, smallest(all, 0.4), high)))
    const winner = await untilPod(context, asked, 'is ready', isReady)
    const victims = await Promise.all(lows.map((one) => isLeaving(context, one)))
    assert.equal(victims.filter(Boolean).length, 1)
    assert.equal(lows[victims.indexOf(true)]?.spec.nodeName, winner.spec.nodeName)
    await holds(context, 2, async () => {
      for (const one of mediums) assert.equal(await isLeaving(context, one), false, `${one.metadata.name} survives`)
    })
  },

  async 'preemption-critical-pod'(context) {
    const all = await rooms(context)
    const low = await createClass(context, 1)
    const lows = await fill(context, all, 0.6, low)
    const at = { name: context.unique('critical'), namespace: 'kube-system' }
    const made = await context.client.create(pod, {
      metadata: at,
      spec: { terminationGracePeriodSeconds: 1, ...asking(context, smallest(all, 0.6), 'system-cluster-critical') },
    })
    const winner = await untilPod(context, endsWithTheRow(context, made), 'is ready', isReady)
    assert.ok((winner.spec.priority ?? 0) >= 2_000_000_000)
    const victims = await Promise.all(lows.map((one) => isLeaving(context, one)))
    assert.equal(victims.filter(Boolean).length, 1)
  },

  async 'preemption-disruption-condition'(context) {
    const { client } = context
    const [room] = await rooms(context)
    assert.ok(room)
    const [low, high] = [await createClass(context, 1), await createClass(context, 1000)]
    const [victim] = await fill(context, [room], 0.9, low)
    assert.ok(victim)
    const setFinalizers = (finalizers: string[]) =>
      updateObject(context, pod, victim.metadata, ({ metadata }) => void (metadata.finalizers = finalizers))
    const finalizer = 'conformance.example.com/hold'
    await setFinalizers([finalizer])
    context.afterwards(() =>
      client.patch(pod, victim.metadata, { type: 'merge', body: { metadata: { finalizers: null } } }).catch(ignoreMissing),
    )
    const winner = endsWithTheRow(context, await createPod(context, { ...asking(context, room.part(0.9), high), ...on(room) }))
    const held = await untilPod(
      context,
      victim,
      'is told to end, and says why',
      (seen) => seen.metadata.deletionTimestamp !== undefined && disruption(seen) !== undefined,
    )
    assert.deepEqual([disruption(held)?.status, disruption(held)?.reason], ['True', 'PreemptionByScheduler'])
    assert.deepEqual(held.metadata.finalizers, [finalizer])
    await setFinalizers([])
    await untilGone(context, pod, victim.metadata)
    await untilPod(context, winner, 'is ready', isReady)
  },

  async 'preemption-replicasets'(context) {
    const { client, namespace, signal } = context
    const [room] = await rooms(context)
    assert.ok(room)
    const start = async (priority: number, replicas: number, share: number) => {
      const labels = { app: `priority-${priority}` }
      const priorityClassName = await createClass(context, priority)
      const spec = { terminationGracePeriodSeconds: 1, ...asking(context, room.part(share), priorityClassName), ...on(room) }
      const { metadata } = await client.create(replicaSet, {
        metadata: { name: `priority-${priority}`, namespace },
        spec: { replicas, selector: { matchLabels: labels }, template: { metadata: { labels }, spec } },
      })
      return { metadata, labels, replicas }
    }
    const first = await start(1, 3, 0.1)
    const second = await start(2, 2, 0.15)
    const third = await start(3, 1, 0.2)
    for (const { labels, replicas } of [first, second, third]) await untilReady(context, labels, replicas)
    const highest = await start(4, 1, 0.5)
    await untilReady(context, highest.labels, 1)
    for (const { labels, replicas } of [second, third]) await untilReady(context, labels, replicas)
    await eventually(signal, 'the lowest are made again, and wait', async () => {
      const pods = await podsOf(context, first.labels)
      return pods.length === first.replicas && pods.every(({ spec, status }) => !spec.nodeName && status.phase === 'Pending')
    })
    for (const { metadata, replicas } of [first, second, third, highest]) {
      await eventually(
        signal,
        `${metadata.name} has its replicas`,
        async () => (await client.get(replicaSet, metadata)).status.replicas === replicas,
      )
    }
  },
}
