/**
 * What a Deployment's controller writes onto its ReplicaSets, for itself and for `kubectl rollout history` and `undo`. Source:
 * kubernetes `pkg/controller/deployment/util`.
 */
import type { Deployment, ReplicaSet } from '../../api/apps/v1/types.gen.ts'
import { maxSurge, replicasOf } from './fenceposts.ts'

type Annotations = Readonly<Record<string, string>>

const REVISION = 'deployment.kubernetes.io/revision'
/** Earlier revisions of a ReplicaSet that was rolled back to, oldest first. */
const REVISION_HISTORY = 'deployment.kubernetes.io/revision-history'
/** The Deployment's replicas when the ReplicaSet was last sized: if they differ, it was scaled since. */
const DESIRED_REPLICAS = 'deployment.kubernetes.io/desired-replicas'
/** The same with surge; proportional scaling reckons with it. */
const MAX_REPLICAS = 'deployment.kubernetes.io/max-replicas'
const HISTORY_LENGTH = 2000

/** Those that mean the Deployment itself; all others are copied to its new ReplicaSet. */
const NOT_COPIED = new Set([
  'kubectl.kubernetes.io/last-applied-configuration',
  'deprecated.deployment.rollback.to',
  REVISION,
  REVISION_HISTORY,
  DESIRED_REPLICAS,
  MAX_REPLICAS,
])

type Annotated = { readonly metadata: { readonly annotations?: Annotations } }

/** 0 if there is none that can be read. */
export function revisionOf({ metadata }: Annotated): number {
  const text = metadata.annotations?.[REVISION] ?? ''
  return /^[0-9]+$/.test(text) ? Number(text) : 0
}

export function withRevision(annotations: Annotations | undefined, revision: number): Annotations {
  return { ...annotations, [REVISION]: String(revision) }
}

/** Null if it is not there or no number. */
export function desiredReplicas(set: ReplicaSet): number | null {
  return countOf(set, DESIRED_REPLICAS)
}

export function maxReplicas(set: ReplicaSet): number | null {
  return countOf(set, MAX_REPLICAS)
}

function countOf({ metadata }: ReplicaSet, annotation: string): number | null {
  const text = metadata.annotations?.[annotation]
  return text !== undefined && /^-?[0-9]+$/.test(text) ? Number(text) : null
}

/** What a ReplicaSet is told of the size of the whole. */
export function sizeAnnotations(deployment: Deployment): Annotations {
  const replicas = replicasOf(deployment)
  return { [DESIRED_REPLICAS]: String(replicas), [MAX_REPLICAS]: String(replicas + maxSurge(deployment)) }
}

/** What the ReplicaSet of the present template carries, given what it has. Its revision only grows; the one it had is remembered. */
export function currentSetAnnotations(deployment: Deployment, present: Annotations | undefined, revision: number): Annotations {
  const copied = Object.entries(deployment.metadata.annotations ?? {}).filter(([key]) => !NOT_COPIED.has(key))
  const annotations: Record<string, string> = { ...present, ...Object.fromEntries(copied) }
  const before = annotations[REVISION]
  if (before !== undefined && revisionOf({ metadata: { annotations } }) >= revision) return annotations
  annotations[REVISION] = String(revision)
  if (before !== undefined) annotations[REVISION_HISTORY] = appended(annotations[REVISION_HISTORY], before)
  return annotations
}

function appended(history: string | undefined, revision: string): string {
  const revisions = history ? [...history.split(','), revision] : [revision]
  while (revisions.length > 1 && revisions.join(',').length > HISTORY_LENGTH) revisions.shift()
  return revisions.join(',')
}
