/** DELETE and DELETECOLLECTION. Source: apiserver `registry/generic/registry/store.go` Delete, DeleteCollection. */
import { mapLimit } from '../../base/async.ts'
import type { KubeObject } from '../../api/meta/v1/object.ts'
import { formatTime } from '../../api/values/time.ts'
import { hasReason, notFound } from '../../machinery/status.ts'
import type { Entry } from '../cache/entry.ts'
import { thaw } from '../../machinery/freeze.ts'
import { admissionRequest } from './admission-request.ts'
import { beforeDelete, checkPreconditions, type Deletion, type DeleteStep, finalizersFor } from './before-delete.ts'
import { guaranteedUpdate, type Outcome } from './guaranteed-update.ts'
import { resourceName } from './keys.ts'
import type { Call, Registry, ResourceHooks } from './registry.ts'
import { viewOf } from './storage.ts'

export interface Deleted {
  /** The object as it was last, or as it now waits for its end. */
  readonly entry: Entry
  /** `marked`: finalizers, a grace period or content keep it; `pending`: they did so before this request. */
  readonly state: 'gone' | 'marked' | 'pending'
}

const COLLECTION_WORKERS = 4

export async function remove(registry: Registry, call: Call, deletion: Deletion, how: { admitted?: boolean } = {}): Promise<Deleted> {
  const { storage, kind } = call.resource
  const hooks = registry.hooks.get(resourceName(kind))
  warnOfOrphans(call, deletion)
  const options = { dryRun: isDryRun(deletion), signal: call.signal }
  const key = storage.key(call.namespace, call.name)
  let step: DeleteStep = { type: 'pending' }
  const written = await guaranteedUpdate(registry, storage, key, options, async (current) => {
    const served = await deletable(registry, call, current, deletion, how.admitted)
    if (!served) throw notFound(kind, call.name)
    const object = hooks?.terminating ? thaw(served) : { ...served, metadata: thaw(served.metadata) }
    step = hooks?.holds?.(object)
      ? terminate(call, object, deletion, hooks, registry)
      : beforeDelete(kind, object, deletion, registry.clock.now())
    return outcomeOf(call, step, object, hooks)
  })
  const { entry } = written
  if (!entry) throw notFound(kind, call.name)
  const took = step as DeleteStep
  if (took.type === 'mark' && took.then && !options.dryRun) return finish(registry, call, deletion, entry, hooks, how.admitted)
  return { entry: await viewOf(call.resource, entry), state: took.type === 'remove' ? 'gone' : took.type === 'mark' ? 'marked' : 'pending' }
}

/** The second step of what was marked with no time left. If another was faster, it is gone all the same. */
async function finish(
  registry: Registry,
  call: Call,
  deletion: Deletion,
  marked: Entry,
  hooks: ResourceHooks | undefined,
  admitted?: boolean,
): Promise<Deleted> {
  const { storage, kind } = call.resource
  const { preconditions: asked } = deletion
  const preconditions = asked?.resourceVersion ? { ...asked, resourceVersion: String(marked.revision) } : asked
  const options = { dryRun: false, signal: call.signal }
  const written = await guaranteedUpdate(registry, storage, storage.key(call.namespace, call.name), options, async (current) => {
    const object = await deletable(registry, call, current, deletion, admitted)
    if (!object) return { type: 'keep' }
    if (preconditions) checkPreconditions(kind, object.metadata, { preconditions })
    return outcomeOf(call, { type: 'remove' }, object, hooks)
  })
  return { entry: await viewOf(call.resource, written.entry ?? marked), state: 'gone' }
}

/** What is there in its served form, if this user may delete it; nobody is asked about what is `admitted` already. */
async function deletable(
  registry: Registry,
  call: Call,
  current: Entry | null,
  deletion: Deletion,
  admitted = false,
): Promise<KubeObject | null> {
  if (!current) return null
  const served = (await viewOf(call.resource, current)).object
  if (admitted) return served
  const options = { kind: 'DeleteOptions', apiVersion: 'meta.k8s.io/v1', ...deletion }
  const request = admissionRequest(call, 'DELETE', null, served, { dryRun: isDryRun(deletion), options })
  await registry.admission.admit(request)
  await registry.admission.validate(request)
  return served
}

async function outcomeOf(call: Call, step: DeleteStep, object: KubeObject, hooks: ResourceHooks | undefined): Promise<Outcome> {
  if (step.type === 'pending') return { type: 'keep' }
  if (step.type === 'remove') return { type: 'delete', companions: hooks?.remove?.(object) ?? null }
  return { type: 'put', object: await call.resource.toStored(object) }
}

/** For what must be emptied before it can go. */
function terminate(call: Call, object: KubeObject, deletion: Deletion, hooks: ResourceHooks, registry: Registry): DeleteStep {
  const meta = object.metadata
  checkPreconditions(call.resource.kind, meta, deletion)
  if (meta.deletionTimestamp) return { type: 'pending' }
  meta.deletionTimestamp = formatTime(registry.clock.now())
  const finalizers = finalizersFor(meta.finalizers ?? [], deletion)
  if (finalizers.length > 0) meta.finalizers = finalizers
  hooks.terminating?.(object)
  return { type: 'mark', then: false }
}

/** Deletes each as `remove` does. What is gone by then is no failure; the first other failure is thrown after those under way. */
export async function removeAll(registry: Registry, call: Call, entries: readonly Entry[], deletion: Deletion): Promise<void> {
  await mapLimit(entries, COLLECTION_WORKERS, async (entry) => {
    const { name, namespace = '' } = entry.object.metadata
    try {
      await remove(registry, { ...call, name, namespace }, deletion)
    } catch (error) {
      if (!hasReason(error, 'NotFound')) throw error
    }
  })
}

/** Clients that say nothing get what the first version of the kind did. */
function warnOfOrphans(call: Call, { propagationPolicy, orphanDependents }: Deletion): void {
  if (propagationPolicy !== undefined || orphanDependents !== undefined || resourceName(call.resource.kind) !== 'jobs.batch') return
  call.warn(
    'child pods are preserved by default when jobs are deleted; set propagationPolicy=Background to remove them or set propagationPolicy=Orphan to suppress this warning',
  )
}

function isDryRun(deletion: Deletion): boolean {
  return deletion.dryRun?.includes('All') ?? false
}
