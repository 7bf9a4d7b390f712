/** Scheduler and Taint: where pods may be, and how long. */
import assert from 'node:assert/strict'
import { node, pod } from '../../../../electron/api/kinds.gen.ts'
import type { Pod } from '../../../../electron/api/core/v1/types.gen.ts'
import { toUnits } from '../../../../electron/api/values/quantity.ts'
import { eventually, type BehaviourContext, type Behaviours } from '../../lib/behaviour.ts'
import { createPod, holds, shell, STAY, startPod, untilPod } from '../../lib/running.ts'
import { updateObject } from '../../lib/whole-api.ts'

const scheduled = ({ status }: Pod) => status.conditions?.find(({ type }) => type === 'PodScheduled')

const KEY = 'conformance.example.com/evict'

/** A pod that puts up with the taint for a time. */
const tolerating = (context: BehaviourContext, tolerationSeconds: number) =>
  startPod(context, {
    terminationGracePeriodSeconds: 1,
    tolerations: [{ key: KEY, operator: 'Exists', effect: 'NoExecute', tolerationSeconds }],
    containers: [shell(context, STAY)],
  })

async function taint(context: BehaviourContext, name: string, on: boolean): Promise<void> {
  await updateObject(context, node, { name }, ({ spec }) => {
    const others = spec.taints?.filter(({ key }) => key !== KEY) ?? []
    spec.taints = on ? [...others, { key: KEY, value: 'yes', effect: 'NoExecute' }] : others
  })
}

/** Seconds from now until the pod is told to end. */
async function untilEvicted({ client, signal }: BehaviourContext, { metadata }: Pod, since: number): Promise<number> {
  await eventually(signal, `${metadata.name} is evicted`, async () => {
    const seen = await client.get(pod, metadata).catch(() => null)
    return seen?.metadata.uid !== metadata.uid || seen.metadata.deletionTimestamp !== undefined
  })
  return (performance.now() - since) / 1000
}

export const behaviours: Behaviours = {
  async 'taint-evict-toleration-seconds'(context) {
    const [short, long] = await Promise.all([tolerating(context, 5), tolerating(context, 25)])
    const name = short.spec.nodeName ?? ''
    context.afterwards(() => taint({ ...context, signal: AbortSignal.timeout(10_000) }, name, false))
    const since = performance.now()
    await taint(context, name, true)
    const [first, second] = await Promise.all([untilEvicted(context, short, since), untilEvicted(context, long, since)])
    assert.ok(first >= 4 && first < 20, `the first was evicted after ${first} s`)
    assert.ok(second >= 24, `the second was evicted after ${second} s`)
  },

  async 'taint-removal-cancels-eviction'(context) {
    const tolerant = await tolerating(context, 10)
    const name = tolerant.spec.nodeName ?? ''
    context.afterwards(() => taint({ ...context, signal: AbortSignal.timeout(10_000) }, name, false))
    await taint(context, name, true)
    await holds(context, 4, async () =>
      assert.equal((await context.client.get(pod, tolerant.metadata)).metadata.deletionTimestamp, undefined),
    )
    await taint(context, name, false)
    await holds(context, 15, async () => {
      const seen = await context.client.get(pod, tolerant.metadata)
      assert.equal(seen.metadata.uid, tolerant.metadata.uid)
      assert.equal(seen.metadata.deletionTimestamp, undefined)
    })
  },

  async 'scheduler-nodeselector-no-match'(context) {
    const made = await createPod(context, { nodeSelector: { label: 'nonempty' }, containers: [shell(context, STAY)] })
    const refused = await untilPod(context, made, 'is looked at by the scheduler', (seen) => scheduled(seen)?.status === 'False')
    assert.equal(scheduled(refused)?.reason, 'Unschedulable')
    await holds(context, 5, async () => {
      const { spec, status } = await context.client.get(pod, made.metadata)
      assert.equal(spec.nodeName ?? '', '')
      assert.equal(status.phase, 'Pending')
    })
  },

  async 'scheduler-hostport-conflict'(context) {
    const start = async (hostIP: string) => {
      const ports = [{ containerPort: 8080, hostPort: 54322, hostIP, protocol: 'TCP' as const }]
      return createPod(context, { containers: [shell(context, STAY, { ports })] })
    }
    const first = await start('0.0.0.0')
    await untilPod(context, first, 'runs', ({ status }) => status.phase === 'Running')
    const second = await start('127.0.0.1')
    await untilPod(context, second, 'is refused', (seen) => scheduled(seen)?.status === 'False')
    await holds(context, 5, async () => assert.equal((await context.client.get(pod, second.metadata)).spec.nodeName ?? '', ''))
  },

  async 'scheduler-resource-limits'(context) {
    const { client } = context
    const [only] = (await client.list(node)).items
    assert.ok(only)
    // More than half of what the node has: twice that does not fit.
    const memory = String(Math.ceil(toUnits(only.status.allocatable?.['memory'] ?? '') * 0.6))
    const asking = () => createPod(context, { containers: [shell(context, STAY, { resources: { requests: { memory } } })] })
    const filler = await asking()
    await untilPod(context, filler, 'runs', ({ status }) => status.phase === 'Running')
    const more = await asking()
    const refused = await untilPod(context, more, 'is refused', (seen) => scheduled(seen)?.status === 'False')
    assert.match(scheduled(refused)?.message ?? '', /Insufficient memory/)
    await holds(context, 3, async () => assert.equal((await client.get(pod, more.metadata)).spec.nodeName ?? '', ''))
  },
}
