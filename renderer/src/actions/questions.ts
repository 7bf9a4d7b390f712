/** The questions before a delete: what will go, what comes back by itself, and what is left as it is. */
import type { Pod, Service } from '../../../electron/api/core/v1/types.gen.ts'
import type { KubeObject } from '../../../electron/api/meta/v1/object.ts'
import { t, tn } from '../i18n/index.ts'
import type { ListWhere } from '../../../electron/contracts/list-channels.ts'
import { controllerOf, workloadKey, workloadOf } from '../kube/owners.ts'
import { fullName, PODS, type ObjectRef, type Resource } from '../kube/resources.ts'
import type { Question } from '../stores/questions.ts'
import { deleteObjects } from './objects.ts'

type Point = Question['points'][number]

/** How many pods hang together with what is to be deleted, in this order; null where that is not known. */
export type PodsAround = readonly (number | null)[]

export const refTo = (resource: Resource, object: KubeObject): ObjectRef => ({
  resource,
  name: object.metadata.name,
  ...(resource.namespaced ? { namespace: object.metadata.namespace } : {}),
})

export function deleteQuestion(resource: Resource, objects: readonly KubeObject[], around: PodsAround, done?: () => void): Question {
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
          ? pointsOf(resource, one, around[0] ?? null)
          : manyPoints(resource, around),
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

/** Which pods `PodsAround` counts for an object of a kind: those that it made, holds, or that read it. Null: none. */
export function podsAround(resource: Resource, object: KubeObject): ListWhere | null {
  const { namespace, name, uid } = object.metadata
  const { kind } = resource
  if (OWNERS.includes(kind)) return { under: uid, ...(namespace === undefined ? {} : { namespace }) }
  if (kind === 'Namespace') return { namespace: name }
  if (kind === 'ConfigMap' || kind === 'Secret') return { uses: { kind, name }, ...(namespace === undefined ? {} : { namespace }) }
  return null
}

function pointsOf(resource: Resource, object: KubeObject, pods: number | null): Point[] {
  if (OWNERS.includes(resource.kind)) {
    const points: Point[] = pods === null ? [] : [{ tone: 'warn', text: tn('ask.workload.pods', pods) }]
    const owner = controllerOf(object)
    if (owner) points.push({ tone: 'ok', text: t('ask.workload.remade', { owner: `${owner.kind} ${owner.name}` }) })
    return points
  }
  switch (resource.kind) {
    case 'Namespace':
      return [
        { tone: 'err', text: t('ask.namespace.all') },
        ...(pods === null ? [] : [{ tone: 'warn' as const, text: tn('ask.namespace.pods', pods) }]),
      ]
    case 'Service': {
      const { clusterIP } = (object as Service).spec
      return [{ tone: 'warn', text: t('ask.service.gone', { name: object.metadata.name, ip: clusterIP ?? '' }) }]
    }
    case 'ConfigMap':
    case 'Secret':
      if (pods === null) return [{ tone: 'warn', text: t('ask.other') }]
      return [pods ? { tone: 'warn', text: tn('ask.config.used', pods) } : { tone: 'ok', text: t('ask.config.unused') }]
    case 'Node':
      return [{ tone: 'warn', text: t('ask.node.object') }]
    default:
      return [{ tone: 'warn', text: t('ask.other') }]
  }
}

function manyPoints(resource: Resource, around: PodsAround): Point[] {
  if (!OWNERS.includes(resource.kind)) return [{ tone: 'warn', text: t('ask.otherMany') }]
  const pods = around.reduce<number>((sum, n) => sum + (n ?? 0), 0)
  return [{ tone: 'warn', text: tn('ask.workload.pods', pods) }]
}
