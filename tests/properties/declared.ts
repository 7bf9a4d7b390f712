/** Whether a cluster is what it is declared to be. */
import { expect } from 'vitest'
import { daemonSet } from '../../electron/api/apps/v1/daemon-set.ts'
import { deployment } from '../../electron/api/apps/v1/deployment.ts'
import { replicaSet } from '../../electron/api/apps/v1/replica-set.ts'
import { statefulSet } from '../../electron/api/apps/v1/stateful-set.ts'
import { job } from '../../electron/api/batch/v1/job.ts'
import { node as nodeKind } from '../../electron/api/core/v1/node.ts'
import { pod as podKind } from '../../electron/api/core/v1/pod.ts'
import type { Pod } from '../../electron/api/core/v1/types.gen.ts'
import type { Client } from '../../electron/client/client.ts'
import { isPodActive, isPodReady } from '../../electron/controllers/workload/pod-state.ts'
import { isConditionTrue } from '../../electron/machinery/conditions.ts'
import { NAMESPACE } from './world.ts'

const imageOf = ({ spec }: { readonly spec?: { readonly containers: Pod['spec']['containers'] } }) => spec?.containers[0]?.image

export async function expectDeclared(client: Client): Promise<void> {
  const at = { namespace: NAMESPACE }
  const pods = (await client.list(podKind, at)).items
  const of = (app: string) => pods.filter(({ metadata }) => metadata.labels?.['app'] === app)
  const describe = () =>
    pods
      .map(
        ({ metadata, spec, status }) =>
          `${metadata.name} on ${spec.nodeName ?? '-'}: ${status.phase}, deleted ${metadata.deletionTimestamp ?? 'no'}, ${JSON.stringify(status.conditions?.map(({ type, status: value, message }) => `${type} ${value} ${message ?? ''}`))}`,
      )
      .join('\n')
  const owned: Pod[] = []
  const expectRunning = (app: string, count: number, image: string | undefined) => {
    const own = of(app)
    owned.push(...own)
    expect(own.filter(isPodReady).length, `${app}\n${describe()}`).toBe(count)
    expect(own.length, `${app}\n${describe()}`).toBe(count)
    if (image !== undefined) expect(new Set(own.map(imageOf))).toEqual(new Set(count ? [image] : []))
  }

  for (const { metadata, spec, status } of (await client.list(deployment, at)).items) {
    expectRunning(metadata.name, spec.replicas ?? 1, imageOf(spec.template))
    expect(status).toMatchObject({ observedGeneration: metadata.generation })
    expect(status.availableReplicas ?? 0).toBe(spec.replicas)
  }
  for (const { metadata, spec, status } of (await client.list(statefulSet, at)).items) {
    const whole = (spec.updateStrategy.rollingUpdate?.partition ?? 0) === 0
    expectRunning(metadata.name, spec.replicas ?? 1, whole ? imageOf(spec.template) : undefined)
    expect(status.observedGeneration).toBe(metadata.generation)
    expect(status.readyReplicas ?? 0).toBe(spec.replicas)
  }
  const nodes = (await client.list(nodeKind)).items
  for (const { status } of nodes) expect(isConditionTrue(status.conditions, 'Ready')).toBe(true)
  for (const { metadata, spec, status } of (await client.list(daemonSet, at)).items) {
    expectRunning(metadata.name, nodes.length, imageOf(spec.template))
    expect(status).toMatchObject({ desiredNumberScheduled: nodes.length, numberReady: nodes.length, updatedNumberScheduled: nodes.length })
  }
  for (const { metadata, spec, status } of (await client.list(job, at)).items) {
    expect(isConditionTrue(status.conditions, 'Complete'), `${metadata.name}\n${describe()}`).toBe(true)
    expect(status.succeeded).toBe(spec.completions)
  }
  owned.push(...of('work'))
  expect(of('work').filter(isPodActive)).toEqual([])
  expect(pods.filter((pod) => !owned.includes(pod)).map(({ metadata }) => metadata.name)).toEqual([])
  const sets = (await client.list(replicaSet, at)).items
  for (const { metadata, spec, status } of sets) expect(status.replicas ?? 0, metadata.name).toBe(spec.replicas)
}
