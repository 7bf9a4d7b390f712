/**
 * Keeps `metadata.managedFields`: `trackUpdate` after every create, update and patch, `applyConfiguration` for server-side apply
 * (KEP-555). Pure: objects are not changed. Source of the rules: apimachinery `util/managedfields`.
 */
import type { Time } from '../../api/meta/v1/object.ts'
import type { ManagedFieldsEntry } from '../../api/meta/v1/types.gen.ts'
import { DecodeError, type Codec } from '../decode/codec.ts'
import { isObject, jsonEqual, type JsonObject } from '../json-value.ts'
import { badRequest, internal } from '../status.ts'
import { ConflictError } from './conflict.ts'
import { emptyObject } from './empty-object.ts'
import { FieldSet } from './field-set.ts'
import { fieldsOfLastApplied, withLastApplied } from './last-applied.ts'
import { capUpdaters, decodeManagedFields, encodeManagedFields, isReset, ownerId, type Owner, type Owners } from './managed-fields.ts'
import { UntrackableError } from './shape.ts'
import { applyAndOwn, ownersAfterUpdate, type ApplyResult, type MergeTarget } from './updater.ts'
import { formatFaults, validateConfiguration } from './validate.ts'

/** Who makes a request, through what, and when. */
export interface Requester {
  /** `fieldManager` of the request, else what the user agent begins with. "" becomes "unknown". */
  readonly manager: string
  /** Absent: the object itself. */
  readonly subresource?: string | undefined
  readonly now: Time
}

/** Nobody ever owns these. */
const NEVER_OWNED = FieldSet.ofFields(
  'apiVersion',
  'kind',
  'metadata',
  'metadata.name',
  'metadata.namespace',
  'metadata.creationTimestamp',
  'metadata.selfLink',
  'metadata.uid',
  'metadata.clusterName',
  'metadata.generation',
  'metadata.managedFields',
  'metadata.resourceVersion',
)
const BEFORE_FIRST_APPLY = 'before-first-apply'
/** The manager for which `kubectl apply --server-side` is known, and with it the annotation of client-side apply. */
const KUBECTL = 'kubectl'

type Entries = readonly Partial<ManagedFieldsEntry>[] | undefined

/**
 * The managed fields of `next`, which a create (`live` is null), update or patch made of `live`. Undefined: none, because the
 * object's were cleared, or because a list in it has items that cannot be told apart.
 */
export function trackUpdate(
  liveObject: object | null,
  nextObject: object,
  requester: Requester,
  target: MergeTarget,
): ManagedFieldsEntry[] | undefined {
  const [live, next] = [liveObject as JsonObject | null, nextObject as JsonObject]
  const owners = ownersOf(live, next, requester)
  if (owners.size === 0 && live !== null) return undefined
  try {
    const before = live === null ? emptyObject(target.type) : withoutManagedFields(live)
    const after = recordUpdate(before, withoutManagedFields(next), owners, requester, target)
    return encodeManagedFields(capUpdaters(after))
  } catch (error) {
    if (error instanceof UntrackableError) return undefined
    throw error
  }
}

/**
 * Applies a configuration onto `live` (null: the object does not exist): the result, decoded and defaulted, with its managed
 * fields. Throws StatusError: `BadRequest` for a configuration that
 * does not fit the type, `Conflict` with a cause for each field that others own and `force` does not claim.
 */
export function applyConfiguration<T>(
  liveObject: object | null,
  config: JsonObject,
  requester: Requester,
  force: boolean,
  target: MergeTarget,
  codec: Codec<T>,
): T {
  if (isObject(config['metadata']) && config['metadata']['managedFields'] != null) throw badRequest('metadata.managedFields must be nil')
  const live = liveObject as JsonObject | null
  const subject = describe(config)
  const faults = validateConfiguration(config, target.type)
  if (faults.length > 0) throw badRequest(`failed to create typed patch object (${subject}): ${formatFaults(faults)}`)
  const start = live === null ? emptyObject(target.type) : withoutManagedFields(live)
  const self = selfOf(requester, 'Apply', target)
  const id = ownerId(self)
  let owners: Owners
  let applied: ApplyResult
  try {
    owners = ownersBeforeApply(live, start, requester, target)
    applied = applyOrTakeFromClient(start, config, owners, id, self, force, requester, target)
  } catch (error) {
    throw asUntracked(error)
  }
  const { object, owners: after } = applied
  const own = after.get(id)
  // The time is that of the last apply that changed the object.
  if (own) setFields(after, id, own.fields.difference(NEVER_OWNED), object ? requester.now : owners.get(id)?.time)
  let next = object ?? start
  if (requester.manager === KUBECTL) next = withLastApplied(next, config)
  try {
    return codec.decode(withManagedFields(next, encodeManagedFields(after))).object
  } catch (error) {
    if (error instanceof DecodeError) throw badRequest(`failed to convert new typed object (${subject}) to object: ${error.message}`, error)
    throw error
  }
}

/** The object with these managed fields in the place of its own; undefined: with none. */
export function withManagedFields<T extends object>(object: T, managedFields: readonly ManagedFieldsEntry[] | undefined): T {
  const bare = withoutManagedFields(object as JsonObject)
  if (!managedFields) return bare as T
  return { ...bare, metadata: { ...(isObject(bare['metadata']) ? bare['metadata'] : {}), managedFields } } as unknown as T
}

/** Conflicts with what the annotation of client-side apply shows to be kubectl's own are none. */
function applyOrTakeFromClient(
  live: JsonObject,
  config: JsonObject,
  owners: Owners,
  id: string,
  self: Omit<Owner, 'fields'>,
  force: boolean,
  requester: Requester,
  target: MergeTarget,
): ApplyResult {
  try {
    return applyAndOwn(live, config, owners, id, self, force, target)
  } catch (error) {
    if (!(error instanceof ConflictError)) throw asUntracked(error)
    const own = requester.manager === KUBECTL ? fieldsOfLastApplied(live, target) : null
    const left = own ? error.conflicts.filter(({ path }) => !own.has(path)) : error.conflicts
    if (left.length > 0) throw (left.length < error.conflicts.length ? new ConflictError(left) : error).toStatus()
    return applyAndOwn(live, config, owners, id, self, true, target)
  }
}

/** An object whose ownership was never tracked belongs, as it is, to whoever was there before. */
function ownersBeforeApply(live: JsonObject | null, start: JsonObject, requester: Requester, target: MergeTarget): Owners {
  let owners: Owners
  try {
    owners = decodeManagedFields(entriesOf(live))
  } catch (error) {
    throw internal(new Error(`failed to decode managed fields: ${(error as Error).message}`))
  }
  if (owners.size > 0 || live === null) return owners
  return recordUpdate(emptyObject(target.type), start, owners, { ...requester, manager: BEFORE_FIRST_APPLY }, target)
}

function recordUpdate(before: JsonObject, after: JsonObject, owners: Owners, requester: Requester, target: MergeTarget): Owners {
  const self = selfOf(requester, 'Update', target)
  const id = ownerId(self)
  const current = 'current-operation'
  const result = ownersAfterUpdate(before, after, owners, current, self, target)
  const taken = result.get(current)?.fields.difference(NEVER_OWNED)
  result.delete(current)
  if (taken && !taken.isEmpty) {
    const previous = result.get(id)?.fields
    result.set(id, { ...self, fields: previous ? taken.union(previous) : taken, time: requester.now })
  }
  return result
}

/**
 * Those of the new object, so that a client can edit them; those of the live one if it sent none or through a subresource. Most
 * clients send back what they read.
 */
function ownersOf(live: JsonObject | null, next: JsonObject, requester: Requester): Owners {
  const [given, present] = [entriesOf(next), entriesOf(live)]
  if (!requester.subresource && given !== undefined && !jsonEqual(given, present)) {
    if (isReset(given)) return new Map()
    const owners = decodedOrNone(given, false)
    if (owners.size > 0) return owners
  }
  return decodedOrNone(present, true)
}

function decodedOrNone(entries: Entries, written: boolean): Owners {
  try {
    return decodeManagedFields(entries, written)
  } catch {
    return new Map()
  }
}

function setFields(owners: Owners, id: string, fields: FieldSet, time: Time | undefined): void {
  const owner = owners.get(id)
  if (!owner) return
  const { time: _time, ...rest } = owner
  if (fields.isEmpty) owners.delete(id)
  else owners.set(id, { ...rest, fields, ...(time ? { time } : {}) })
}

function selfOf(requester: Requester, operation: Owner['operation'], target: MergeTarget): Omit<Owner, 'fields'> {
  const { manager, subresource } = requester
  return { manager: manager || 'unknown', operation, apiVersion: target.apiVersion, ...(subresource ? { subresource } : {}) }
}

function asUntracked(error: unknown): unknown {
  return error instanceof UntrackableError ? internal(new Error(`failed to create typed live object: ${error.message}`)) : error
}

function entriesOf(object: JsonObject | null): Entries {
  const metadata = object?.['metadata']
  const entries = isObject(metadata) ? metadata['managedFields'] : undefined
  return Array.isArray(entries) ? (entries as Partial<ManagedFieldsEntry>[]) : undefined
}

function withoutManagedFields(object: JsonObject): JsonObject {
  const { metadata } = object
  if (!isObject(metadata) || metadata['managedFields'] === undefined) return object
  const { managedFields: _entries, ...rest } = metadata
  return { ...object, metadata: rest }
}

/** "default/web; apps/v1, Kind=Deployment". */
function describe(config: JsonObject): string {
  const metadata = isObject(config['metadata']) ? config['metadata'] : {}
  const apiVersion = String(config['apiVersion'])
  const gv = apiVersion.includes('/') ? apiVersion : `/${apiVersion}`
  const text = (value: unknown) => (typeof value === 'string' ? value : '')
  return `${text(metadata['namespace'])}/${text(metadata['name'])}; ${gv}, Kind=${String(config['kind'])}`
}
