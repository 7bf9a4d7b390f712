/** What a DELETE does to an object, as pure functions. Source: apiserver `registry/rest/delete.go`, `generic/registry/store.go`. */
import type { AnyKind } from '../../api/kind.ts'
import type { KubeObject, ObjectMeta } from '../../api/meta/v1/object.ts'
import type { DeleteOptions } from '../../api/meta/v1/types.gen.ts'
import { formatTime } from '../../api/values/time.ts'
import { conflict } from '../../machinery/status.ts'
import { orphansByDefault } from './kind-rules.ts'

export const FOREGROUND_FINALIZER = 'foregroundDeletion'
export const ORPHAN_FINALIZER = 'orphan'

export type Deletion = Partial<DeleteOptions>

export type DeleteStep =
  /** A graceful deletion is under way, and the request does not shorten it. */
  | { readonly type: 'pending' }
  /** Gone at once. */
  | { readonly type: 'remove' }
  /** Marked as `object` says; `then` removes it in a second step. */
  | { readonly type: 'mark'; readonly then: boolean }

/** The object that is there must be the one that the client meant. Throws 409. */
export function checkPreconditions(kind: AnyKind, meta: ObjectMeta, deletion: Deletion): void {
  const { uid, resourceVersion } = deletion.preconditions ?? {}
  const fail = (why: string) => conflict({ group: kind.group, resource: kind.kind }, meta.name, why)
  if (uid != null && uid !== meta.uid) {
    throw fail(
      `the UID in the precondition (${uid}) does not match the UID in record (${meta.uid}). The object might have been deleted and then recreated`,
    )
  }
  if (resourceVersion != null && resourceVersion !== meta.resourceVersion) {
    throw fail(
      `the ResourceVersion in the precondition (${resourceVersion}) does not match the ResourceVersion in record (${meta.resourceVersion}). ` +
        'The object might have been modified',
    )
  }
}

/** Changes `object`, a copy of what is there, into what a delete leaves of it; `now` in milliseconds since the epoch. */
export function beforeDelete(kind: AnyKind, object: KubeObject, deletion: Deletion, now: number): DeleteStep {
  const meta = object.metadata
  checkPreconditions(kind, meta, deletion)
  const asked = deletion.gracePeriodSeconds
  const grace = asked !== undefined && asked < 0 ? 1 : asked
  const step = gracefully(kind, object, grace, now)
  if (step === 'pending') return { type: 'pending' }
  meta.finalizers = finalizersFor(meta.finalizers ?? [], deletion, orphansByDefault(kind))
  const held = meta.finalizers.length > 0
  if (!held) delete meta.finalizers
  if (step === 'not graceful') {
    if (!held) return { type: 'remove' }
    markNow(meta, now)
    return { type: 'mark', then: false }
  }
  return { type: 'mark', then: !held && (meta.deletionGracePeriodSeconds ?? 0) === 0 }
}

function gracefully(kind: AnyKind, object: KubeObject, asked: number | undefined, now: number): 'pending' | 'marked' | 'not graceful' {
  const meta = object.metadata
  if (!kind.strategy.gracePeriod) return 'not graceful'
  if (meta.deletionTimestamp) {
    const recorded = meta.deletionGracePeriodSeconds ?? 0
    if (recorded === 0) return 'not graceful'
    if (asked === undefined || asked >= recorded) return 'pending'
    const end = Date.parse(meta.deletionTimestamp) - (recorded - asked) * 1000
    // A time that is over already leaves those who watch the least that is still graceful.
    const over = end < now
    meta.deletionTimestamp = formatTime(over ? now : end)
    meta.deletionGracePeriodSeconds = over && asked !== 0 ? 1 : asked
    return 'marked'
  }
  const grace = kind.strategy.gracePeriod(object, asked)
  if (grace === null) return 'not graceful'
  meta.deletionTimestamp = formatTime(now + grace * 1000)
  meta.deletionGracePeriodSeconds = grace
  if (meta.generation) meta.generation++
  return 'marked'
}

function markNow(meta: ObjectMeta, now: number): void {
  if (!meta.deletionTimestamp && meta.generation) meta.generation++
  if (!meta.deletionTimestamp || Date.parse(meta.deletionTimestamp) > now) meta.deletionTimestamp = formatTime(now)
  meta.deletionGracePeriodSeconds = 0
}

/** The garbage collector's finalizers as the request wants them; without a wish they stay, and without any `orphans` says. */
export function finalizersFor(finalizers: readonly string[], deletion: Deletion, orphans = false): string[] {
  const { orphanDependents, propagationPolicy } = deletion
  let orphan = finalizers.includes(ORPHAN_FINALIZER)
  let foreground = !orphan && finalizers.includes(FOREGROUND_FINALIZER)
  if (orphanDependents !== undefined) {
    orphan = orphanDependents
    foreground = false
  } else if (propagationPolicy) {
    orphan = propagationPolicy === 'Orphan'
    foreground = propagationPolicy === 'Foreground'
  } else if (!orphan && !foreground) orphan = orphans
  const kept = finalizers.filter((f) => f !== ORPHAN_FINALIZER && f !== FOREGROUND_FINALIZER)
  return [...kept, ...(orphan ? [ORPHAN_FINALIZER] : []), ...(foreground ? [FOREGROUND_FINALIZER] : [])]
}
