/** Changing an object that exists: PUT, PATCH and the subresources that write. Source: apiserver `registry/generic/registry/store.go` Update. */
import type { KubeObject } from '../../api/meta/v1/object.ts'
import { badRequest, hasReason, notFound } from '../../machinery/status.ts'
import type { Entry } from '../cache/entry.ts'
import type { AdmissionRequest } from '../types.ts'
import { type AdmissionOptions, admissionRequest, writeOptions } from './admission-request.ts'
import {
  checkResourceVersion,
  checkUid,
  countGeneration,
  goesWithUpdate,
  type Part,
  prepareUpdate,
  validateUpdate,
} from './before-update.ts'
import { create, placeInNamespace } from './create.ts'
import { guaranteedUpdate, type Outcome } from './guaranteed-update.ts'
import { resourceName } from './keys.ts'
import { dropRepeatedOwners } from './owner-references.ts'
import { keepTimestamps, track } from './managed-fields.ts'
import { together } from './quota.ts'
import type { Call, Registry, WriteParameters } from './registry.ts'
import type { Subresource } from './subresource.ts'
import { viewOf } from './storage.ts'

export interface Change {
  readonly part: Part
  /** The new state, which the callee may change; `old` is the served form of what is there, frozen, or null. Called once per attempt. */
  make(old: KubeObject | null): KubeObject | Promise<KubeObject>
  /** `make` already wrote down who manages what (server-side apply). */
  readonly tracked?: boolean
  /** A part that is an object of its own: that is what admission sees. */
  readonly shownAs?: Subresource | null
  /** What kind of options the request has; by default UpdateOptions. */
  readonly options?: 'PatchOptions'
  /** A uid that was sent says which object is meant; else it is a field like any other. */
  readonly uidIsPrecondition?: boolean
  /** Makes the object if there is none, whatever the kind says. */
  readonly createIfAbsent?: boolean
  /** Asked once before an update creates: throws StatusError if the user may not. */
  mayCreate?(): Promise<void>
}

export interface Updated {
  readonly entry: Entry
  readonly created: boolean
}

export async function update(registry: Registry, call: Call, change: Change, parameters: WriteParameters): Promise<Updated> {
  const { resource, name, namespace } = call
  const creates = change.part === 'main' && (change.createIfAbsent || (resource.kind.strategy.allowCreateOnUpdate ?? false))
  const key = resource.storage.key(namespace, name)
  for (;;) {
    const attempt = async (current: Entry | null): Promise<Outcome> => {
      if (!current) return absent(call, creates)
      return replace(registry, call, change, parameters, current, key)
    }
    const written = await guaranteedUpdate(registry, resource.storage, key, { dryRun: parameters.dryRun, signal: call.signal }, attempt)
    if (written.entry) return { entry: await viewOf(resource, written.entry), created: false }
    await change.mayCreate?.()
    const made = await change.make(null)
    checkPlace(call, made)
    try {
      return { entry: await create(registry, call, made, parameters, { tracked: change.tracked ?? false }), created: true }
    } catch (error) {
      if (!hasReason(error, 'AlreadyExists')) throw error
    }
  }
}

function absent(call: Call, creates: boolean): Outcome {
  if (creates) return { type: 'keep' }
  throw notFound(call.resource.kind, call.name)
}

async function replace(
  registry: Registry,
  call: Call,
  change: Change,
  parameters: WriteParameters,
  current: Entry,
  key: string,
): Promise<Outcome> {
  const { resource } = call
  const old = (await viewOf(resource, current)).object
  const object = await change.make(old)
  checkPlace(call, object)
  if (change.uidIsPrecondition) checkUid(call, object, old, key)
  if (!change.tracked) track(registry, call, object, old, parameters)
  const how = writeOptions(change.options ?? 'UpdateOptions', parameters)
  const admission = admissionOf(call, change.shownAs, object, old, how)
  await registry.admission.admit(admission)
  if (admission.object && admission.object !== object) change.shownAs?.write?.(object, admission.object)
  dropRepeatedOwners(call, object, true)
  checkResourceVersion(call, object, old)
  const hooks = registry.hooks.get(resourceName(resource.kind))
  prepareUpdate(call, object, old, change.part)
  const own = (change.part === 'main' ? await hooks?.update?.(object, old, call) : null) ?? null
  countGeneration(call, object, old, change.part)
  const examining = resource.kind.strategy.examine?.(object, old)
  if (examining) await examining
  validateUpdate(call, object, old, change.part)
  keepTimestamps(object, old)
  await registry.admission.validate(admission.object === object ? admission : admissionOf(call, change.shownAs, object, old, how))
  if (goesWithUpdate(object, old) && !hooks?.holds?.(object)) return { type: 'delete', companions: hooks?.remove?.(object) ?? null }
  const companions = together(own, await registry.quotas.charge(call, object, old))
  return { type: 'put', object: await resource.toStored(object), companions }
}

function admissionOf(
  call: Call,
  part: Subresource | null | undefined,
  object: KubeObject,
  old: KubeObject,
  how: AdmissionOptions,
): AdmissionRequest {
  if (!part?.read) return admissionRequest(call, 'UPDATE', object, old, how)
  return admissionRequest(call, 'UPDATE', part.read(object), part.read(old), { ...how, sent: part.kind })
}

/** Name and namespace must be those of the request; the namespace may be left out. */
function checkPlace(call: Call, object: KubeObject): void {
  placeInNamespace(call, object)
  const { name } = object.metadata
  if (!name) throw badRequest(`the name of the object (${call.name} based on URL) was undeterminable: name must be provided`)
  if (name !== call.name) throw badRequest(`the name of the object (${name}) does not match the name on the URL (${call.name})`)
}
