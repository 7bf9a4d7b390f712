/** pods/eviction: a delete that asks the disruption budgets first. Source: kubernetes `registry/core/pod/storage/eviction.go`. */
import type { Pod, PodCondition } from '../../api/core/v1/types.gen.ts'
import { eviction as evictionKind } from '../../api/policy/v1/eviction.ts'
import type { Eviction } from '../../api/policy/v1/types.gen.ts'
import { formatTime } from '../../api/values/time.ts'
import { setCondition } from '../../machinery/conditions.ts'
import { thaw } from '../../machinery/freeze.ts'
import { badRequest, failure, hasReason, notFound, type Status } from '../../machinery/status.ts'
import { admissionRequest, writeOptions } from '../registry/admission-request.ts'
import { checkPreconditions, type Deletion } from '../registry/before-delete.ts'
import { remove } from '../registry/delete.ts'
import { guaranteedUpdate } from '../registry/guaranteed-update.ts'
import type { Call, Registry, WriteParameters } from '../registry/registry.ts'
import type { Subresource } from '../registry/subresource.ts'
import type { Resources } from '../resources.ts'
import { budgetsFor, sparesUnready, stillProcessed, takeDisruption } from './disruption-budgets.ts'

const SUCCESS: Status = { kind: 'Status', apiVersion: 'v1', metadata: {}, status: 'Success', code: 201 }
const DISRUPTED = {
  type: 'DisruptionTarget' as const,
  status: 'True' as const,
  reason: 'EvictionByEvictionAPI',
  message: 'Eviction API: evicting',
}
const MANY_BUDGETS = 'This pod has more than one PodDisruptionBudget, which the eviction subresource does not support.'
/** How often the pod is looked at again when it changes meanwhile. */
const ATTEMPTS = 20

export function eviction(registry: Registry, resources: Resources): Subresource {
  return {
    kind: evictionKind,
    part: 'main',
    create: (call, object, parameters) => evict(registry, resources, call, object, parameters),
  }
}

async function evict(registry: Registry, resources: Resources, call: Call, sent: Eviction, parameters: WriteParameters): Promise<Status> {
  if (sent.metadata.name && sent.metadata.name !== call.name) throw badRequest('name in URL does not match name in Eviction object')
  const deletion = deletionOf(sent, parameters)
  const dryRun = deletion.dryRun?.includes('All') ?? false
  const admission = admissionRequest(call, 'CREATE', sent, null, {
    ...writeOptions('CreateOptions', { ...parameters, dryRun }),
    sent: evictionKind,
  })
  await registry.admission.admit(admission)
  await registry.admission.validate(admission)

  const wantsVersion = deletion.preconditions?.resourceVersion !== undefined
  for (let attempt = 1; ; attempt++) {
    const pod = await newest(call)
    if (!isBeyondBudgets(pod)) break
    const pinned = wantsVersion || isTerminal(pod) ? deletion : atVersion(deletion, pod)
    try {
      await end(registry, call, pinned, dryRun)
      return SUCCESS
    } catch (error) {
      // It may have become ready meanwhile.
      if (wantsVersion || attempt >= ATTEMPTS || !hasReason(error, 'Conflict')) throw error
    }
  }

  const pod = await newest(call)
  const budgets = resources.find('policy', 'v1', 'poddisruptionbudgets')
  const [budget, other] = budgets ? await budgetsFor(budgets, pod) : []
  if (!budgets || !budget) {
    await end(registry, call, deletion, dryRun)
    return SUCCESS
  }
  if (other) throw failure(500, 'InternalError', MANY_BUDGETS)
  const { name } = budget.metadata
  const spared = sparesUnready(budget, pod)
  if (!spared) await takeDisruption(registry, budgets, { namespace: call.namespace, name, pod: call.name }, { dryRun, signal: call.signal })
  try {
    await end(registry, call, spared ? atVersion(deletion, pod) : deletion, dryRun)
  } catch (error) {
    if (spared && !wantsVersion && hasReason(error, 'Conflict')) throw stillProcessed(name)
    throw error
  }
  return SUCCESS
}

/** A dry run in the query and one in the body are the same, but may not say different things. */
function deletionOf({ deleteOptions = {} }: Eviction, { dryRun }: WriteParameters): Deletion {
  const { kind: _kind, apiVersion: _version, ...options } = deleteOptions
  return dryRun ? { ...options, dryRun: ['All'] } : options
}

async function newest(call: Call): Promise<Pod> {
  const { storage, kind } = call.resource
  await storage.cache.fresh()
  const entry = storage.cache.get(storage.key(call.namespace, call.name))
  if (!entry) throw notFound(kind, call.name)
  return entry.object as Pod
}

const isTerminal = ({ status }: Pod) => status.phase === 'Succeeded' || status.phase === 'Failed'

/** It serves nobody yet or any more. */
function isBeyondBudgets(pod: Pod): boolean {
  return isTerminal(pod) || pod.status.phase === 'Pending' || pod.metadata.deletionTimestamp !== undefined
}

function atVersion(deletion: Deletion, { metadata }: Pod): Deletion {
  const { resourceVersion } = metadata
  const { preconditions } = deletion
  return preconditions?.resourceVersion
    ? deletion
    : { ...deletion, preconditions: { ...preconditions, ...(resourceVersion ? { resourceVersion } : {}) } }
}

/** Notes in the pod why it goes, and deletes it. */
async function end(registry: Registry, call: Call, deletion: Deletion, dryRun: boolean): Promise<void> {
  let options = deletion
  if (!dryRun) {
    const marked = await mark(registry, call, deletion)
    if (deletion.preconditions?.resourceVersion) options = atVersion({ ...deletion, preconditions: uidOnly(deletion) }, marked)
  }
  await remove(registry, call, options, { admitted: true })
}

function uidOnly({ preconditions }: Deletion): NonNullable<Deletion['preconditions']> {
  return preconditions?.uid ? { uid: preconditions.uid } : {}
}

async function mark(registry: Registry, call: Call, deletion: Deletion): Promise<Pod> {
  const { storage, kind } = call.resource
  const written = await guaranteedUpdate(
    registry,
    storage,
    storage.key(call.namespace, call.name),
    { dryRun: false, signal: call.signal },
    (current) => {
      if (!current) throw notFound(kind, call.name)
      checkPreconditions(kind, current.object.metadata, deletion)
      const pod = thaw(current.object) as Pod
      const { generation } = pod.metadata
      const condition = { ...DISRUPTED, ...(generation ? { observedGeneration: generation } : {}) }
      const conditions = setCondition<PodCondition>(pod.status.conditions, condition, formatTime(registry.clock.now()))
      if (conditions === pod.status.conditions) return { type: 'keep' }
      pod.status.conditions = [...conditions]
      return { type: 'put', object: pod }
    },
  )
  if (!written.entry) throw notFound(kind, call.name)
  return written.entry.object as Pod
}
