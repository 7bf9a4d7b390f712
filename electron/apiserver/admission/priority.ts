/** Pods get the number that their priority class stands for. Source: kubernetes `plugin/pkg/admission/priority`. */
import type { Pod } from '../../api/core/v1/types.gen.ts'
import type { PriorityClass } from '../../api/scheduling/v1/types.gen.ts'
import { forbidden } from '../../machinery/status.ts'
import type { Lookup } from '../registry/lookup.ts'
import type { AdmissionRequest } from '../types.ts'
import type { AdmissionPlugin } from './admission.ts'

export const PRIORITY_CLASSES = { group: 'scheduling.k8s.io', version: 'v1', resource: 'priorityclasses' }

type Class = Pick<PriorityClass, 'value' | 'preemptionPolicy' | 'globalDefault'> & { readonly name: string; readonly description: string }

/** What every cluster has. */
export const SYSTEM_CLASSES: readonly Class[] = [
  {
    name: 'system-node-critical',
    value: 2_000_001_000,
    description: 'Used for system critical pods that must not be moved from their current node.',
    preemptionPolicy: 'PreemptLowerPriority',
  },
  {
    name: 'system-cluster-critical',
    value: 2_000_000_000,
    description: 'Used for system critical pods that must run in the cluster, but can be moved to another node if necessary.',
    preemptionPolicy: 'PreemptLowerPriority',
  },
]

export function priorityAdmission(lookup: Lookup): AdmissionPlugin {
  const byName = async (name: string): Promise<Omit<Class, 'name' | 'description'> | undefined> =>
    (await lookup.get<PriorityClass>(PRIORITY_CLASSES, '', name)) ?? SYSTEM_CLASSES.find((c) => c.name === name)
  const standing = async () =>
    (await lookup.list<PriorityClass>(PRIORITY_CLASSES)).filter((c) => c.globalDefault).sort((a, b) => a.value - b.value)[0]

  return {
    name: 'Priority',
    handles: ({ operation, kind, subresource }) =>
      subresource === '' && operation !== 'DELETE' && (isPod(kind) || kind.resource === PRIORITY_CLASSES.resource),
    async admit(request) {
      const pod = request.object as Pod
      if (!isPod(request.kind)) return
      if (request.operation === 'UPDATE') return keepPriority(pod, request.old as Pod)
      const { spec } = pod
      let found: Omit<Class, 'name' | 'description'> | undefined
      if (spec.priorityClassName) {
        found = await byName(spec.priorityClassName)
        if (!found) throw forbidden(request.kind, request.name, `no PriorityClass with name ${spec.priorityClassName} was found`)
      } else {
        const fallback = await standing()
        if (fallback) spec.priorityClassName = fallback.metadata.name
        found = fallback
      }
      assign(request, pod, found?.value ?? 0, found?.preemptionPolicy ?? 'PreemptLowerPriority')
    },
    async validate(request) {
      if (isPod(request.kind)) return
      const { globalDefault, metadata } = request.object as PriorityClass
      const other = globalDefault ? await standing() : undefined
      if (other && other.metadata.name !== metadata.name) {
        const why = `PriorityClass ${other.metadata.name} is already marked as default. Only one default can exist`
        throw forbidden(request.kind, metadata.name, why)
      }
    },
  }
}

function assign(request: AdmissionRequest, { spec }: Pod, value: number, policy: 'Never' | 'PreemptLowerPriority'): void {
  if (spec.priority !== undefined && spec.priority !== value) {
    const why = `the integer value of priority (${spec.priority}) must not be provided in pod spec; priority admission controller computed ${value} from the given PriorityClass name`
    throw forbidden(request.kind, request.name, why)
  }
  spec.priority = value
  if (spec.preemptionPolicy !== undefined && spec.preemptionPolicy !== policy) {
    const why = `the string value of PreemptionPolicy (${spec.preemptionPolicy}) must not be provided in pod spec; priority admission controller computed ${policy} from the given PriorityClass name`
    throw forbidden(request.kind, request.name, why)
  }
  spec.preemptionPolicy = policy
}

/** Clients that know nothing of priorities leave them out. */
function keepPriority({ spec }: Pod, old: Pod): void {
  if (spec.priority === undefined && old.spec.priority !== undefined) spec.priority = old.spec.priority
  if (spec.preemptionPolicy === undefined && old.spec.preemptionPolicy !== undefined) spec.preemptionPolicy = old.spec.preemptionPolicy
}

function isPod({ group, resource }: { group: string; resource: string }): boolean {
  return group === '' && resource === 'pods'
}
