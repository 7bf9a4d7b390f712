/** PodResize: containers that run get other resources without a restart (KEP-1287). */
import assert from 'node:assert/strict'
import { pod as podKind } from '../../../../electron/api/kinds.gen.ts'
import type { Pod, ResourceRequirements } from '../../../../electron/api/core/v1/types.gen.ts'
import { semanticEqual } from '../../../../electron/api/values/equal.ts'
import { hasReason } from '../../../../electron/machinery/status.ts'
import type { BehaviourContext, Behaviours } from '../../lib/behaviour.ts'
import { send } from '../../lib/raw.ts'
import { containerStatus, execIn, isReady, shell, startPod, STAY, untilPod } from '../../lib/running.ts'

/** CPU in millicores and memory in MiB; what is absent is not asked for. */
interface Size {
  readonly cpu?: readonly [request: number, limit?: number]
  readonly memory?: readonly [request: number, limit?: number]
}

/** A period of the kernel's CPU quota, in microseconds, and the least quota that it takes. */
const PERIOD = 100_000
const LEAST_QUOTA = 1000
/** The least limit in millicores whose quota is not raised to the least one. */
const LEAST_CPU = 10

/** As much requested as limited. */
const guaranteed = (cpu: number, memory: number): Size => ({ cpu: [cpu, cpu], memory: [memory, memory] })

function resourcesOf({ cpu, memory }: Size): ResourceRequirements {
  const pick = (index: 0 | 1) => ({
    ...(cpu?.[index] === undefined ? {} : { cpu: `${cpu[index]}m` }),
    ...(memory?.[index] === undefined ? {} : { memory: `${memory[index]}Mi` }),
  })
  return { requests: pick(0), limits: pick(1) }
}

const name = (index: number) => `c${index + 1}`

async function start(context: BehaviourContext, sizes: readonly Size[]): Promise<Pod> {
  return startPod(context, {
    containers: sizes.map((size, index) => shell(context, STAY, { name: name(index), resources: resourcesOf(size) })),
  })
}

const patchOf = (sizes: readonly Size[]) => ({
  spec: { containers: sizes.map((size, index) => ({ name: name(index), resources: resourcesOf(size) })) },
})

const same = (a: ResourceRequirements | undefined, b: ResourceRequirements) =>
  semanticEqual(a?.requests ?? {}, b.requests ?? {}) && semanticEqual(a?.limits ?? {}, b.limits ?? {})

/** Spec, status and the kernel's limits are as wanted, and no container was started again. */
async function expectSizes(context: BehaviourContext, resized: Pod, sizes: readonly Size[]): Promise<Pod> {
  const wanted = sizes.map(resourcesOf)
  const done = await untilPod(context, resized, 'has the new resources', ({ spec, status }) =>
    wanted.every((resources, index) => {
      const own = status.containerStatuses?.find((each) => each.name === name(index))
      return same(spec.containers[index]?.resources, resources) && same(own?.resources, resources)
    }),
  )
  const settled = await untilPod(
    context,
    done,
    'is no longer being resized',
    (pod) => isReady(pod) && !pod.status.conditions?.some(({ type }) => type === 'PodResizeInProgress' || type === 'PodResizePending'),
  )
  for (const [index, { cpu, memory }] of sizes.entries()) {
    assert.equal(containerStatus(settled, name(index)).restartCount, 0)
    const limits = await kernelLimits(context, settled, name(index))
    if (cpu?.[1] !== undefined) assert.equal(limits.quota, Math.max(LEAST_QUOTA, (cpu[1] * PERIOD) / 1000), `CPU of ${name(index)}`)
    if (memory?.[1] !== undefined) assert.equal(limits.memory, memory[1] * 2 ** 20, `memory of ${name(index)}`)
  }
  return settled
}

/** What the container's own cgroup says, of either version. */
async function kernelLimits(context: BehaviourContext, pod: Pod, container: string): Promise<{ quota: number; memory: number }> {
  const script =
    'cd /sys/fs/cgroup; if [ -f cpu.max ]; then cut -d" " -f1 cpu.max; cat memory.max; ' +
    'else cat cpu/cpu.cfs_quota_us memory/memory.limit_in_bytes; fi'
  const [quota, memory] = (await execIn(context, pod, script, container)).trim().split('\n')
  return { quota: Number(quota), memory: Number(memory) }
}

async function patched(context: BehaviourContext, from: readonly Size[], to: readonly Size[]): Promise<void> {
  const made = await start(context, from)
  const { name: podName, namespace } = made.metadata
  const resized = await context.client.patch(
    podKind,
    { namespace, name: podName },
    { type: 'strategic', body: patchOf(to) },
    { subresource: 'resize' },
  )
  await expectSizes(context, resized, to)
}

export const behaviours: Behaviours = {
  'pod-resize-burstable-six-containers': (context) =>
    patched(
      context,
      [{ cpu: [50, 100] }, { memory: [32, 64] }, { cpu: [20] }, { memory: [24] }, { cpu: [40, 80], memory: [40, 80] }, {}],
      [
        { cpu: [60, 120], memory: [32, 48] },
        { cpu: [30, 60], memory: [48, 72] },
        { cpu: [30, 50] },
        { memory: [32, 64] },
        { cpu: [30, 60], memory: [48, 96] },
        { cpu: [20, 40], memory: [16, 32] },
      ],
    ),

  // Both limits come to the least quota that the kernel takes.
  'pod-resize-equivalent-cpu': (context) => patched(context, [{ cpu: [2, LEAST_CPU] }], [{ cpu: [1, LEAST_CPU / 2] }]),

  'pod-resize-guaranteed-net-increase': (context) =>
    patched(
      context,
      [guaranteed(50, 40), guaranteed(50, 40), guaranteed(60, 60)],
      [guaranteed(80, 64), guaranteed(90, 72), guaranteed(40, 40)],
    ),

  'pod-resize-guaranteed-net-decrease': (context) =>
    patched(
      context,
      [guaranteed(50, 40), guaranteed(90, 72), guaranteed(90, 72)],
      [guaranteed(60, 48), guaranteed(50, 48), guaranteed(40, 40)],
    ),

  'pod-resize-guaranteed-mixed': (context) =>
    patched(
      context,
      [guaranteed(50, 64), guaranteed(90, 40), guaranteed(50, 40)],
      [guaranteed(70, 64), guaranteed(60, 56), guaranteed(80, 64)],
    ),

  async 'pod-resize-replace'(context) {
    const made = await start(context, [guaranteed(50, 40)])
    const to = [guaranteed(80, 64)]
    const { name: podName, namespace } = made.metadata
    const containers = made.spec.containers.map((container) => ({ ...container, resources: resourcesOf(guaranteed(80, 64)) }))
    // The kubelet writes the pod's status meanwhile: a conflict is tried again with what is there.
    const resized = await replaced(context, made, containers)
    await expectSizes(context, resized, to)
    const path = `/api/v1/namespaces/${namespace}/pods/${podName}`
    const [viaResize, itself] = [await send(context.client, 'GET', `${path}/resize`), await send(context.client, 'GET', path)]
    assert.equal(viaResize.status, 200, viaResize.text)
    assert.deepEqual(JSON.parse(viaResize.text), JSON.parse(itself.text))
  },
}

async function replaced(context: BehaviourContext, { metadata }: Pod, containers: Pod['spec']['containers']): Promise<Pod> {
  const at = { namespace: metadata.namespace, name: metadata.name }
  for (;;) {
    const now = await context.client.get(podKind, at)
    try {
      return await context.client.update(podKind, { ...now, spec: { ...now.spec, containers } }, { subresource: 'resize' })
    } catch (error) {
      if (!hasReason(error, 'Conflict') || context.signal.aborted) throw error
    }
  }
}
