/** Nodes: closing them to new pods, and moving their pods away. */
import type { Pod } from '../../../electron/api/core/v1/types.gen.ts'
import { t } from '../i18n/index.ts'
import { FIELD_MANAGER, MERGE_PATCH, pathTo } from '../kube/api.ts'
import { NODES, PODS, type ObjectRef } from '../kube/resources.ts'
import { controllerOf } from '../kube/owners.ts'
import { isOver } from '../kube/pod-status.ts'
import type { Plan, Step } from './plan.ts'

export function setCordoned(name: string, cordoned: boolean): Plan {
  const ref: ObjectRef = { resource: NODES, name }
  const step = (on: boolean): Step => ({
    call: {
      method: 'PATCH',
      path: pathTo(ref),
      query: { fieldManager: FIELD_MANAGER },
      contentType: MERGE_PATCH,
      body: { spec: { unschedulable: on || null } },
    },
    kubectl: `kubectl ${on ? 'cordon' : 'uncordon'} ${name}`,
  })
  const done = (on: boolean) => t(on ? 'act.cordon.done' : 'act.uncordon.done', { name })
  const failed = (on: boolean) => t(on ? 'act.cordon.failed' : 'act.uncordon.failed', { name })
  return {
    done: done(cordoned),
    failed: failed(cordoned),
    steps: [step(cordoned)],
    undo: { done: done(!cordoned), failed: failed(!cordoned), steps: [step(!cordoned)] },
  }
}

/** Asks for an eviction, which a PodDisruptionBudget may put off with a 429 (policy/v1). */
export function evictStep(pod: Pod): Step {
  const { name, namespace } = pod.metadata
  return {
    call: {
      method: 'POST',
      path: pathTo({ resource: PODS, namespace, name }, 'eviction'),
      body: { apiVersion: 'policy/v1', kind: 'Eviction', metadata: { name, namespace } },
    },
    kubectl: '',
  }
}

/** What draining does with a pod, as `kubectl drain` decides it. */
export type DrainFate =
  /** Its controller makes another elsewhere. */
  | 'moves'
  /** A DaemonSet's: it belongs to the machine and stays. */
  | 'stays'
  /** A static pod: the agent's own, it cannot be evicted. */
  | 'static'
  /** It has ended already. */
  | 'over'
  /** Nothing makes another: it is gone for good. */
  | 'lost'

export function drainFate(pod: Pod): DrainFate {
  if (pod.metadata.annotations?.['kubernetes.io/config.mirror']) return 'static'
  const controller = controllerOf(pod)
  if (controller?.kind === 'DaemonSet') return 'stays'
  if (isOver(pod)) return 'over'
  return controller ? 'moves' : 'lost'
}

/** Names of its volumes whose content ends with the pod. */
export const losesData = (pod: Pod): string[] => (pod.spec.volumes ?? []).filter((v) => v.emptyDir).map((v) => v.name)
