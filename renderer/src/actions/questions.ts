/** The questions before a delete: what will go, what comes back by itself, and what is left as it is. */
import type { Pod, Service } from '../../../electron/api/core/v1/types.gen.ts'
import type { ReplicaSet } from '../../../electron/api/apps/v1/types.gen.ts'
import type { KubeObject } from '../../../electron/api/meta/v1/object.ts'
import { t, tn } from '../i18n/index.ts'
import { controllerOf, isOwnedBy, workloadKey, workloadOf } from '../kube/owners.ts'
import { fullName, PODS, type ObjectRef, type Resource } from '../kube/resources.ts'
import type { Question } from '../stores/questions.ts'
import { deleteObjects } from './objects.ts'

type Point = Question['points'][number]

/** What the window knows of the cluster, to say what hangs together. */
export interface Surroundings {
  readonly pods: readonly Pod[]
  readonly replicaSets: readonly ReplicaSet[]
}

export const refTo = (resource: Resource, object: KubeObject): ObjectRef => ({
  resource,
  name: object.metadata.name,
  ...(resource.namespaced ? { namespace: object.metadata.namespace } : {}),
})

export function deleteQuestion(resource: Resource, objects: readonly KubeObject[], around: Surroundings, done?: () => void): Question {
  const [first] = objects
  const one = objects.length === 1 && first ? first : null
  const refs = objects.map((object) => refTo(resource, object))
  return {
    title: one
      ? t('ask.delete.one', { kind: resource.kind, name: one.metadata.name })
      : tn('ask.delete.many', objects.length, { resource: resource.resource }),
    points:
      resource === PODS
        ? podPoints(objects as readonly Pod[])
        : objects.length === 1 && one
          ? pointsOf(resource, one, around)
          : manyPoints(resource, objects, around),
    ...(one ? {} : { names: objects.map((object) => fullName(object.metadata)) }),
    options: optionsOf(resource),
    confirm: one ? t('ask.delete.confirm', { name: one.metadata.name }) : tn('ask.delete.confirmMany', objects.length),
    danger: true,
    plan: (options) => deleteObjects(refs, { orphan: options.has('orphan'), now: options.has('now') }),
    ...(done ? { done } : {}),
  }
}

const OWNERS = ['Deployment', 'ReplicaSet', 'DaemonSet', 'StatefulSet']

function optionsOf(resource: Resource): NonNullable<Question['options']> {
  if (resource === PODS) return [{ id: 'now', text: t('ask.option.now'), help: t('ask.option.nowHelp') }]
  if (OWNERS.includes(resource.kind)) return [{ id: 'orphan', text: t('ask.option.orphan'), help: t('ask.option.orphanHelp') }]
  return []
}

function podPoints(pods: readonly Pod[]): Point[] {
  const made = new Map<string, { count: number; label: string }>()
  let alone = 0
  for (const pod of pods) {
    if (!controllerOf(pod)) alone++
    else {
      const owner = workloadOf(pod)
      const entry = made.get(workloadKey(owner))
      if (entry) entry.count++
      else made.set(workloadKey(owner), { count: 1, label: `${owner.kind} ${owner.name}` })
    }
  }
  const points: Point[] = [...made.values()].map(({ count, label }) => ({
    tone: 'ok',
    text: tn('ask.pods.remade', count, { owner: label }),
  }))
  if (alone) points.push({ tone: 'warn', text: tn('ask.pods.alone', alone) })
  return points
}

/** Pods that go when a workload goes. */
function podsUnder(object: KubeObject, { pods, replicaSets }: Surroundings): { pods: number; sets: number } {
  const sets = replicaSets.filter((set) => isOwnedBy(set, object.metadata.uid))
  const owners = new Set([object.metadata.uid, ...sets.map((set) => set.metadata.uid)])
  return { sets: sets.length, pods: pods.filter((pod) => pod.metadata.ownerReferences?.some((o) => owners.has(o.uid))).length }
}

function pointsOf(resource: Resource, object: KubeObject, around: Surroundings): Point[] {
  if (OWNERS.includes(resource.kind)) {
    const under = podsUnder(object, around)
    const points: Point[] = [{ tone: 'warn', text: tn('ask.workload.pods', under.pods) }]
    const owner = controllerOf(object)
    if (owner) points.push({ tone: 'ok', text: t('ask.workload.remade', { owner: `${owner.kind} ${owner.name}` }) })
    return points
  }
  switch (resource.kind) {
    case 'Namespace': {
      const inside = around.pods.filter((pod) => pod.metadata.namespace === object.metadata.name).length
      return [
        { tone: 'err', text: t('ask.namespace.all') },
        { tone: 'warn', text: tn('ask.namespace.pods', inside) },
      ]
    }
    case 'Service': {
      const { clusterIP } = (object as Service).spec
      return [{ tone: 'warn', text: t('ask.service.gone', { name: object.metadata.name, ip: clusterIP ?? '' }) }]
    }
    case 'ConfigMap':
    case 'Secret': {
      const users = around.pods.filter((pod) => usesConfig(pod, resource.kind, object)).length
      return [users ? { tone: 'warn', text: tn('ask.config.used', users) } : { tone: 'ok', text: t('ask.config.unused') }]
    }
    case 'Node':
      return [{ tone: 'warn', text: t('ask.node.object') }]
    default:
      return [{ tone: 'warn', text: t('ask.other') }]
  }
}

function manyPoints(resource: Resource, objects: readonly KubeObject[], around: Surroundings): Point[] {
  if (!OWNERS.includes(resource.kind)) return [{ tone: 'warn', text: t('ask.otherMany') }]
  const pods = objects.reduce((sum, object) => sum + podsUnder(object, around).pods, 0)
  return [{ tone: 'warn', text: tn('ask.workload.pods', pods) }]
}

/** Whether a pod takes environment or files from a ConfigMap or Secret. */
export function usesConfig(pod: Pod, kind: string, object: KubeObject): boolean {
  if (pod.metadata.namespace !== object.metadata.namespace) return false
  const { name } = object.metadata
  const secret = kind === 'Secret'
  const inVolumes = pod.spec.volumes?.some((v) =>
    secret
      ? v.secret?.secretName === name || v.projected?.sources?.some((s) => s.secret?.name === name)
      : v.configMap?.name === name || v.projected?.sources?.some((s) => s.configMap?.name === name),
  )
  const inEnv = [...pod.spec.containers, ...(pod.spec.initContainers ?? [])].some(
    (c) =>
      c.envFrom?.some((from) => (secret ? from.secretRef?.name : from.configMapRef?.name) === name) ||
      c.env?.some((e) => (secret ? e.valueFrom?.secretKeyRef?.name : e.valueFrom?.configMapKeyRef?.name) === name),
  )
  return inVolumes === true || inEnv || (secret && pod.spec.imagePullSecrets?.some((s) => s.name === name) === true)
}
