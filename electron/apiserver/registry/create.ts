/** CREATE. Sources: apiserver `endpoints/handlers/create.go`, `registry/rest/create.go`, `registry/generic/registry/store.go`. */
import { randomSuffix } from '../../base/random.ts'
import type { KubeObject, ObjectMeta } from '../../api/meta/v1/object.ts'
import { validateObjectMeta } from '../../api/meta/v1/validation.ts'
import { formatTime } from '../../api/values/time.ts'
import { alreadyExists, badRequest, failure, invalidObject, StatusError } from '../../machinery/status.ts'
import type { Entry } from '../cache/entry.ts'
import { admissionRequest, writeOptions } from './admission-request.ts'
import { hasGeneration, isBuiltIn } from './kind-rules.ts'
import { insert } from './guaranteed-update.ts'
import { resourceName } from './keys.ts'
import { dropRepeatedOwners } from './owner-references.ts'
import { track } from './managed-fields.ts'
import { together } from './quota.ts'
import type { Call, Registry, WriteParameters } from './registry.ts'
import { viewOf } from './storage.ts'

/** A base longer than this is cut, so that the generated name is no longer than a label may be. */
const MAX_GENERATED_BASE = 58
const GENERATE_ATTEMPTS = 8

/** `object` is decoded and the callee's; it may be changed. */
export async function create(
  registry: Registry,
  call: Call,
  object: KubeObject,
  parameters: WriteParameters,
  options: { tracked?: boolean } = {},
): Promise<Entry> {
  const { kind } = call.resource
  const meta = object.metadata
  if (call.name && meta.name !== call.name) {
    throw badRequest(`the name of the object (${meta.name}) does not match the name on the URL (${call.name})`)
  }
  placeInNamespace(call, object)
  wipe(object)
  dropRepeatedOwners(call, object, false)
  if (!options.tracked) track(registry, call, object, null, parameters)
  const admission = admissionRequest(call, 'CREATE', object, null, writeOptions('CreateOptions', parameters))
  await registry.admission.admit(admission)
  dropRepeatedOwners(call, object, true)

  const hooks = registry.hooks.get(resourceName(kind))
  const generates = !meta.name && !!meta.generateName
  let taken = 0
  for (;;) {
    // What a kind prepares may hold the name, so each name starts from what was sent.
    const made = generates ? structuredClone(object) : object
    prepare(registry, call, made, generates)
    const { name } = made.metadata
    const own = (await hooks?.create?.(made, call)) ?? null
    const examining = kind.strategy.examine?.(made)
    if (examining) await examining
    validate(call, made)
    await registry.admission.validate({ ...admission, object: made, name })
    const companions = together(own, await registry.quotas.charge(call, made, null))
    if (meta.resourceVersion) throw failure(500, 'Unknown', 'resourceVersion should not be set on objects to be created')
    const stored = await call.resource.toStored(made)
    const lease = await hooks?.lease?.()
    const { storage } = call.resource
    const key = storage.key(call.namespace, name)
    const written = await insert(registry, storage, key, stored, { companions, lease, dryRun: parameters.dryRun })
    if ('entry' in written) return viewOf(call.resource, written.entry)
    if (!written.existing) continue
    if (!generates || ++taken >= GENERATE_ATTEMPTS) throw exists(call, made.metadata, written.existing)
  }
}

/** What only the server says. */
function wipe({ metadata }: KubeObject): void {
  metadata.uid = ''
  metadata.creationTimestamp = ''
  delete metadata.deletionTimestamp
  delete metadata.deletionGracePeriodSeconds
  delete metadata.selfLink
}

/** The namespace of the request is the object's, unless it says another. */
export function placeInNamespace(call: Call, object: KubeObject): void {
  const { metadata } = object
  if (!metadata.namespace && call.namespace) metadata.namespace = call.namespace
  else if (metadata.namespace && call.resource.kind.namespaced && metadata.namespace !== call.namespace) {
    throw badRequest('the namespace of the provided object does not match the namespace sent on the request')
  }
}

/** The kind's own preparation finds name and uid there. */
function prepare(registry: Registry, call: Call, object: KubeObject, generates: boolean): void {
  const { kind } = call.resource
  const { metadata } = object
  metadata.creationTimestamp = formatTime(registry.clock.now())
  metadata.uid = registry.random.uuid()
  metadata.name = generates ? generatedName(metadata.generateName ?? '', registry) : metadata.name || ''
  delete metadata.generation
  if (kind.subresources['status'] && !registry.hooks.get(resourceName(kind))?.keepsStatusOnCreate) registry.types.resetStatus(kind, object)
  if (hasGeneration(kind)) metadata.generation = 1
  kind.strategy.prepareForCreate?.(object)
}

function validate(call: Call, object: KubeObject): void {
  const { kind } = call.resource
  const rules = { namespaced: kind.namespaced, validateName: kind.validateName, standardFinalizers: isBuiltIn(kind) }
  const errors = [...validateObjectMeta(object.metadata, rules), ...(kind.strategy.validate?.(object) ?? [])]
  if (errors.length > 0) throw invalidObject(kind, object.metadata.name ?? '', errors)
  for (const text of kind.strategy.warnings?.(object, null) ?? []) call.warn(text)
}

function generatedName(base: string, registry: Registry): string {
  return base.slice(0, MAX_GENERATED_BASE) + randomSuffix(registry.random)
}

function exists(call: Call, { name, generateName }: ObjectMeta, existing: Entry): StatusError {
  const { status } = alreadyExists(call.resource.kind, name)
  let message = status.message ?? ''
  if (generateName) message = `${message}, the server was not able to generate a unique name for the object`
  if (existing.object.metadata.deletionTimestamp) message = `object is being deleted: ${message}`
  const details = generateName ? { ...status.details, retryAfterSeconds: 1 } : status.details
  return new StatusError({ ...status, message, ...(details ? { details } : {}) })
}
