/** `metadata.managedFields`: who owns which fields. Source: apimachinery `util/managedfields`. */
import type { Time } from '../../api/meta/v1/object.ts'
import type { ManagedFieldsEntry } from '../../api/meta/v1/types.gen.ts'
import { FieldSet } from './field-set.ts'

export type Operation = 'Apply' | 'Update'

export interface Owner {
  readonly manager: string
  readonly operation: Operation
  /** The version in which the fields are named. */
  readonly apiVersion: string
  /** Absent: the object itself. */
  readonly subresource?: string
  readonly time?: Time
  readonly fields: FieldSet
}

/** Owners by `ownerId`. */
export type Owners = Map<string, Owner>

/**
 * Tells owners apart. One that applies is the same in all versions; one that updates is another in each. Owners are ordered by
 * this text where nothing else decides.
 */
export function ownerId(owner: Omit<Owner, 'fields'>): string {
  const { manager, operation, apiVersion, subresource } = owner
  return JSON.stringify({
    ...(manager ? { manager } : {}),
    operation,
    ...(operation === 'Apply' ? {} : { apiVersion }),
    ...(subresource ? { subresource } : {}),
  })
}

/**
 * Throws Error for entries that are malformed. `written` are entries that this server wrote: their fields are read only as far as
 * somebody looks into them.
 */
export function decodeManagedFields(entries: readonly Partial<ManagedFieldsEntry>[] | undefined, written = false): Owners {
  const owners: Owners = new Map()
  for (const [i, entry] of (entries ?? []).entries()) {
    const { manager = '', operation, apiVersion, subresource, time, fieldsType, fieldsV1 } = entry
    if (operation !== 'Apply' && operation !== 'Update') throw new Error('operation must be `Apply` or `Update`')
    if (!apiVersion) throw new Error('apiVersion must not be empty')
    if (!fieldsType) throw new Error(`missing fieldsType in managed fields entry ${i}`)
    if (fieldsType !== 'FieldsV1') throw new Error(`invalid fieldsType ${JSON.stringify(fieldsType)} in managed fields entry ${i}`)
    const owner: Owner = {
      manager,
      operation,
      apiVersion,
      fields: written ? FieldSet.fromWritten(fieldsV1 ?? {}) : FieldSet.fromFieldsV1(fieldsV1 ?? {}),
      ...(subresource ? { subresource } : {}),
      ...(time ? { time } : {}),
    }
    owners.set(ownerId(owner), owner)
  }
  return owners
}

/** In the order in which Kubernetes writes them; undefined if there are none. */
export function encodeManagedFields(owners: Owners): ManagedFieldsEntry[] | undefined {
  if (owners.size === 0) return undefined
  const entries = [...owners.values()].sort(compareOwners)
  return entries.map(({ manager, operation, apiVersion, subresource, time, fields }) => ({
    apiVersion,
    fieldsType: 'FieldsV1',
    fieldsV1: fields.toFieldsV1(),
    ...(manager ? { manager } : {}),
    operation,
    ...(subresource ? { subresource } : {}),
    ...(time ? { time } : {}),
  }))
}

/** A client that wants to be rid of all ownership sends a list of one empty entry. */
export function isReset(entries: readonly Partial<ManagedFieldsEntry>[] | undefined): boolean {
  return entries?.length === 1 && Object.keys(entries[0] ?? {}).length === 0
}

const MAX_UPDATERS = 10
const ANCIENT = 'ancient-changes'

/** Of more than ten owners that update, the oldest are merged into one for each version. */
export function capUpdaters(owners: Owners): Owners {
  const updaters = [...owners].filter(([, owner]) => owner.operation === 'Update')
  if (updaters.length <= MAX_UPDATERS) return owners
  const out: Owners = new Map(owners)
  const first = new Map<string, string>()
  let count = updaters.length
  updaters.sort(([a, x], [b, y]) => compare(x.time ?? '', y.time ?? '') || compare(a, b))
  for (const [id, owner] of updaters) {
    if (count <= MAX_UPDATERS) break
    const { apiVersion, time } = owner
    const oldest = first.get(apiVersion)
    if (oldest === undefined) {
      first.set(apiVersion, id)
      continue
    }
    const ancient = { manager: ANCIENT, operation: 'Update' as const, apiVersion, ...(time ? { time } : {}) }
    const bucket = ownerId(ancient)
    const known = out.get(bucket) ?? out.get(oldest)
    out.delete(oldest)
    out.delete(id)
    out.set(bucket, { ...ancient, fields: known ? owner.fields.union(known.fields) : owner.fields })
    count--
  }
  return out
}

function compareOwners(a: Owner, b: Owner): number {
  return (
    compare(a.operation, b.operation) ||
    compare(a.time ?? '', b.time ?? '') ||
    compare(a.manager, b.manager) ||
    compare(a.apiVersion, b.apiVersion) ||
    compare(a.subresource ?? '', b.subresource ?? '')
  )
}

function compare(a: string, b: string): number {
  return a < b ? -1 : a > b ? 1 : 0
}
