/** The ReplicaSet of a Deployment's present template: found, kept in line, or made. Source: kubernetes deployment `getNewReplicaSet`. */
import { deployment as deploymentKind } from '../../api/apps/v1/deployment.ts'
import { replicaSet as replicaSetKind } from '../../api/apps/v1/replica-set.ts'
import type { ReplicaSet } from '../../api/apps/v1/types.gen.ts'
import type { PodTemplateSpec } from '../../api/core/v1/types.gen.ts'
import type { Draft } from '../../api/meta/v1/object.ts'
import { semanticEqual } from '../../api/values/equal.ts'
import { messageOf } from '../../base/errors.ts'
import { isAbort } from '../../base/async.ts'
import { templateHash } from '../../machinery/hash.ts'
import { controllerReference, isControlledBy } from '../../machinery/object.ts'
import { hasReason } from '../../machinery/status.ts'
import { isNamespaceEnding } from '../workload/pod-control.ts'
import { currentSetAnnotations, revisionOf, sizeAnnotations, withRevision } from './annotations.ts'
import { conditionOf, progressing } from './conditions.ts'
import { progressDeadline } from './fenceposts.ts'
import { sizeTowards } from './scale.ts'
import type { DeploymentSync, Sets } from './sync.ts'

const HASH_LABEL = 'pod-template-hash'

/** Of several with the present template, which an upgrade may leave, the oldest is the current one. */
export function currentOf({ deployment, sets }: DeploymentSync): ReplicaSet | null {
  const oldestFirst = [...sets].sort((a, b) => compareAge(a, b))
  return oldestFirst.find(({ spec }) => sameTemplate(spec.template, deployment.spec.template)) ?? null
}

export function compareAge(a: ReplicaSet, b: ReplicaSet): number {
  const [x, y] = [a.metadata.creationTimestamp, b.metadata.creationTimestamp]
  return x === y ? (a.metadata.name < b.metadata.name ? -1 : 1) : x < y ? -1 : 1
}

export function sameTemplate(a: PodTemplateSpec, b: PodTemplateSpec): boolean {
  return semanticEqual(withoutHash(a), withoutHash(b))
}

function withoutHash({ metadata, spec }: PodTemplateSpec): PodTemplateSpec {
  const { [HASH_LABEL]: _, ...labels } = metadata.labels ?? {}
  return { metadata: { ...metadata, labels }, spec }
}

/** The sets with revisions in order. With `create`, there is a current one afterwards. */
export async function syncSets(sync: DeploymentSync, options: { create: boolean }): Promise<Sets> {
  const current = currentOf(sync)
  const old = sync.sets.filter((set) => set.metadata.uid !== current?.metadata.uid)
  const revision = Math.max(0, ...old.map(revisionOf)) + 1
  if (current) return { current: await keepInLine(sync, current, revision), old }
  if (!options.create) return { current: null, old }
  const made = await createSet(sync, old, revision)
  return { current: made, old: old.filter((set) => set.metadata.uid !== made.metadata.uid) }
}

async function keepInLine(sync: DeploymentSync, set: ReplicaSet, revision: number): Promise<ReplicaSet> {
  const { deployment } = sync
  const annotations = currentSetAnnotations(deployment, set.metadata.annotations, revision)
  const minReadySeconds = deployment.spec.minReadySeconds ?? 0
  if (!semanticEqual(annotations, set.metadata.annotations ?? {}) || (set.spec.minReadySeconds ?? 0) !== minReadySeconds) {
    const { metadata, spec } = set
    const changed = { ...set, metadata: { ...metadata, annotations: { ...annotations } }, spec: { ...spec, minReadySeconds } }
    return sync.context.client.update(replicaSetKind, changed)
  }
  const marked = withRevision(deployment.metadata.annotations, revisionOf(set))
  const isNews = progressDeadline(deployment) !== null && !conditionOf(deployment.status, 'Progressing')
  if (isNews) {
    await sync.saveCondition(progressing('True', 'FoundNewReplicaSet', `Found new replica set "${set.metadata.name}"`), marked)
  } else await sync.save(deployment.status, marked)
  return set
}

async function createSet(sync: DeploymentSync, old: readonly ReplicaSet[], revision: number): Promise<ReplicaSet> {
  const { deployment } = sync
  const draft = draftOf(sync, old, revision)
  let set: ReplicaSet
  try {
    set = await sync.context.client.create(replicaSetKind, draft)
  } catch (error) {
    if (isAbort(error) || isNamespaceEnding(error)) throw error
    if (!hasReason(error, 'AlreadyExists')) return failed(sync, draft, error)
    set = await taken(sync, draft.metadata?.name ?? '', error)
    await sync.save(sync.deployment.status, withRevision(deployment.metadata.annotations, revision))
    return set
  }
  const { name } = set.metadata
  const { replicas = 0 } = set.spec
  if (replicas > 0) sync.tell('Normal', 'ScalingReplicaSet', `Scaled up replica set ${name} from 0 to ${replicas}`)
  const marked = withRevision(deployment.metadata.annotations, revision)
  if (progressDeadline(deployment) === null) await sync.save(deployment.status, marked)
  else await sync.saveCondition(progressing('True', 'NewReplicaSetCreated', `Created new replica set "${name}"`), marked)
  return set
}

function draftOf(sync: DeploymentSync, old: readonly ReplicaSet[], revision: number) {
  const { deployment } = sync
  const { metadata, spec, status } = deployment
  const hash = templateHash(spec.template, status.collisionCount)
  const labels = { ...spec.template.metadata.labels, [HASH_LABEL]: hash }
  const template: Draft<PodTemplateSpec> = { metadata: { ...spec.template.metadata, labels }, spec: spec.template.spec }
  const { matchLabels, matchExpressions } = spec.selector
  const draft: Draft<ReplicaSet> = {
    metadata: {
      name: `${metadata.name}-${hash}`,
      ...(metadata.namespace ? { namespace: metadata.namespace } : {}),
      labels,
      annotations: { ...currentSetAnnotations(deployment, undefined, revision), ...sizeAnnotations(deployment) },
      ownerReferences: [controllerReference(deployment, deploymentKind)],
    },
    spec: {
      replicas: sizeTowards(deployment, null, old),
      minReadySeconds: spec.minReadySeconds ?? 0,
      selector: { matchLabels: { ...matchLabels, [HASH_LABEL]: hash }, ...(matchExpressions ? { matchExpressions } : {}) },
      template,
    },
  }
  return draft
}

/** The name is ours already, only not seen yet, or it is another template's: then the hash must become another one. */
async function taken(sync: DeploymentSync, name: string, error: unknown): Promise<ReplicaSet> {
  const { deployment } = sync
  const { namespace } = deployment.metadata
  const set = await sync.context.client.get(replicaSetKind, { name, namespace })
  if (isControlledBy(set, deployment) && sameTemplate(set.spec.template, deployment.spec.template)) return set
  const { status } = deployment
  await sync.save({ ...status, collisionCount: (status.collisionCount ?? 0) + 1 })
  throw error
}

async function failed(sync: DeploymentSync, draft: Draft<ReplicaSet>, error: unknown): Promise<never> {
  const message = `Failed to create new replica set "${draft.metadata?.name}": ${messageOf(error)}`
  if (progressDeadline(sync.deployment) !== null) await sync.saveCondition(progressing('False', 'ReplicaSetCreateError', message))
  sync.tell('Warning', 'ReplicaSetCreateError', message)
  throw error
}
