/** How ownership changes with an update and with an apply. Source: structured-merge-diff `merge.Updater`. */
import { jsonEqual, type JsonObject } from '../json-value.ts'
import type { StructType, Type } from '../schema/type.ts'
import { compareObjects, type Comparison } from './compare.ts'
import { ConflictError, type Conflict } from './conflict.ts'
import { FieldSet } from './field-set.ts'
import type { Owner, Owners } from './managed-fields.ts'
import { mergeConfiguration } from './merge.ts'
import { dropEmptied, removeFields, type Emptied } from './remove.ts'
import { toFieldSet } from './to-field-set.ts'

/** One version of a kind, as ownership sees it. */
export interface VersionView {
  readonly type: StructType
  /** Fields that this endpoint resets, so that nobody comes to own them through it; with all that is below them. */
  readonly resetFields?: FieldSet | undefined
  /** From the version of the request into this one, and back. Absent: the version of the request. */
  readonly convert?: { to(object: JsonObject): JsonObject; from(object: JsonObject): JsonObject }
}

/** The version of the request, and how to see the object in those of its owners. */
export interface MergeTarget extends VersionView {
  readonly apiVersion: string
  /** Another version; null if it is no longer served, whose owners are forgotten. Absent: there are no other versions. */
  readonly other?: (apiVersion: string) => VersionView | null
}

/** Ownership after `live` has become `next`; `id` is the owner who did it, with `self` for what it gets. */
export function ownersAfterUpdate(
  live: JsonObject,
  next: JsonObject,
  owners: Owners,
  id: string,
  self: Omit<Owner, 'fields'>,
  target: MergeTarget,
): Owners {
  const { owners: rest, comparison } = takeOver(live, next, owners, id, true, target)
  const own = rest.get(id)?.fields ?? new FieldSet()
  const fields = withoutReset(own.difference(comparison.removed).union(comparison.modified).union(comparison.added), target)
  if (fields.isEmpty) rest.delete(id)
  else rest.set(id, { ...self, fields })
  return rest
}

export interface ApplyResult {
  /** Null if nothing changes. */
  readonly object: JsonObject | null
  readonly owners: Owners
}

/**
 * Applies a configuration: merges it, takes away what the owner applied before and does not apply now (unless others own it), and
 * makes it owner of all that it mentions. Throws ConflictError where that changes fields of others, unless `force` is set.
 */
export function applyAndOwn(
  live: JsonObject,
  config: JsonObject,
  owners: Owners,
  id: string,
  self: Omit<Owner, 'fields'>,
  force: boolean,
  target: MergeTarget,
): ApplyResult {
  const known = reconciled(owners, target)
  const last = known.get(id)
  const merged = mergeConfiguration(live, config, target.type) as JsonObject
  known.set(id, { ...self, fields: withoutReset(toFieldSet(config, target.type), target) })
  const emptied: Emptied[] = []
  const next = last ? prune(merged, known, last, target, emptied) : merged
  const { owners: after } = takeOver(live, next, known, id, force, target)
  if (jsonEqual(live, next)) return { object: null, owners: after }
  dropEmptied(emptied)
  return { object: next, owners: after }
}

interface Changes {
  readonly comparison: Comparison
  /** Modified or added: what others may own. */
  readonly taken: FieldSet
  readonly type: StructType
}

/** The owners other than `id` lose what changed. */
function takeOver(live: JsonObject, next: JsonObject, owners: Owners, id: string, force: boolean, target: MergeTarget) {
  const known = new Map<string, Changes | null>()
  const changesIn = (apiVersion: string): Changes | null => {
    let changes = known.get(apiVersion)
    if (changes === undefined) known.set(apiVersion, (changes = compareIn(viewOf(apiVersion, target), live, next)))
    return changes
  }
  const out: Owners = new Map()
  const conflicts: Conflict[] = []
  for (const [otherId, owner] of owners) {
    if (otherId === id) {
      if (!owner.fields.isEmpty) out.set(otherId, owner)
      continue
    }
    const changes = changesIn(owner.apiVersion)
    if (!changes) continue
    const { comparison, taken, type } = changes
    const owned = reconcileAlong(owner.fields, taken.union(comparison.removed), type)
    const lost = owned.intersection(taken)
    if (!lost.isEmpty && !force) for (const path of lost.paths()) conflicts.push({ owner, path })
    const fields = owned.difference(lost).difference(comparison.removed)
    if (!fields.isEmpty) out.set(otherId, fields === owner.fields ? owner : { ...owner, fields })
  }
  if (conflicts.length > 0) throw new ConflictError(conflicts)
  const own = changesIn(target.apiVersion)
  if (!own) throw new Error(`${target.apiVersion} has no type`)
  return { owners: out, comparison: own.comparison }
}

function compareIn(view: VersionView | null, live: JsonObject, next: JsonObject): Changes | null {
  if (!view) return null
  const [before, after] = view.convert ? [view.convert.to(live), view.convert.to(next)] : [live, next]
  const comparison = exclude(compareObjects(before, after, view.type), view)
  return { comparison, taken: comparison.modified.union(comparison.added), type: view.type }
}

/** Takes away what `last` applied, except what is owned now and what it did not own. */
function prune(merged: JsonObject, owners: Owners, last: Owner, target: MergeTarget, emptied: Emptied[]): JsonObject {
  const view = viewOf(last.apiVersion, target)
  if (!view || last.fields.isEmpty) return merged
  const { type } = view
  const before = view.convert ? view.convert.to(merged) : merged
  let pruned = removed(before, last.fields.withNamedFields(type), type)
  for (const [version, fields] of fieldsByVersion(owners, last.apiVersion))
    pruned = addBackOwned(before, pruned, view, version, fields, target)
  pruned = addBackUnowned(before, pruned, last.fields, type, emptied)
  return view.convert ? view.convert.from(pruned) : pruned
}

function addBackOwned(
  merged: JsonObject,
  pruned: JsonObject,
  view: VersionView,
  version: string,
  owned: FieldSet,
  target: MergeTarget,
): JsonObject {
  const other = viewOf(version, target)
  if (!other) return pruned
  const through = (object: JsonObject) => {
    const common = view.convert ? view.convert.from(object) : object
    return other.convert ? other.convert.to(common) : common
  }
  const same = other === view
  const [all, left] = same ? [merged, pruned] : [through(merged), through(pruned)]
  const gone = toFieldSet(all, other.type).withNamedFields(other.type)
  const kept = toFieldSet(left, other.type).withNamedFields(other.type).union(owned.withNamedFields(other.type))
  const result = removed(all, gone.difference(kept), other.type)
  if (same) return result
  const common = other.convert ? other.convert.from(result) : result
  return view.convert ? view.convert.to(common) : common
}

/** What hangs below a removed item but was never this owner's comes back. */
function addBackUnowned(merged: JsonObject, pruned: JsonObject, last: FieldSet, type: StructType, emptied: Emptied[]): JsonObject {
  const all = toFieldSet(merged, type).withNamedFields(type)
  const left = toFieldSet(pruned, type).withNamedFields(type)
  return removed(merged, all.difference(left).intersection(last.withNamedFields(type)), type, emptied)
}

function removed(object: JsonObject, gone: FieldSet, type: StructType, emptied?: Emptied[]): JsonObject {
  return (removeFields(object, gone, type, emptied) ?? {}) as JsonObject
}

/** What is owned in each version, that of `first` before the others. */
function fieldsByVersion(owners: Owners, first: string): Map<string, FieldSet> {
  const found = new Map<string, FieldSet>()
  const sorted = [...owners.values()].sort((a, b) => Number(b.apiVersion === first) - Number(a.apiVersion === first))
  for (const { apiVersion, fields } of sorted) found.set(apiVersion, found.get(apiVersion)?.union(fields) ?? fields)
  return found
}

function viewOf(apiVersion: string, target: MergeTarget): VersionView | null {
  return apiVersion === target.apiVersion ? target : (target.other?.(apiVersion) ?? null)
}

function withoutReset(fields: FieldSet, { resetFields }: VersionView): FieldSet {
  return resetFields ? fields.withoutTrees(resetFields) : fields
}

function exclude({ added, removed, modified }: Comparison, view: VersionView): Comparison {
  return { added: withoutReset(added, view), removed: withoutReset(removed, view), modified: withoutReset(modified, view) }
}

/** What was owned field by field and is now owned as a whole by its type. A copy: the caller may change it. */
function reconciled(owners: Owners, target: MergeTarget): Owners {
  const out: Owners = new Map()
  for (const [id, owner] of owners) {
    const view = viewOf(owner.apiVersion, target)
    if (view) out.set(id, { ...owner, fields: reconcile(owner.fields, view.type) })
  }
  return out
}

function reconcile(fields: FieldSet, type: Type): FieldSet {
  let changed = false
  const members = new Set(fields.members)
  const children = new Map(fields.children)
  for (const [element, child] of fields.children) {
    const below = typeUnder(type, element)
    if (!below) continue
    if (isAtomic(below)) {
      members.add(element)
      children.delete(element)
      changed = true
      continue
    }
    const inner = reconcile(child, below)
    if (inner === child) continue
    children.set(element, inner)
    changed = true
  }
  return changed ? new FieldSet(members, children) : fields
}

/** The same, only for what is among `changes`: what did not change need not be looked at. */
function reconcileAlong(fields: FieldSet, changes: FieldSet, type: Type): FieldSet {
  if (fields.isEmpty || changes.isEmpty) return fields
  let members: Set<string> | null = null
  let children: Map<string, FieldSet> | null = null
  for (const element of changes.members) {
    const below = fields.children.has(element) ? typeUnder(type, element) : undefined
    if (!below || !isAtomic(below)) continue
    members ??= new Set(fields.members)
    children ??= new Map(fields.children)
    members.add(element)
    children.delete(element)
  }
  for (const [element, inner] of changes.children) {
    const own = fields.children.get(element)
    const below = own && typeUnder(type, element)
    const reconciledOwn = own && below ? reconcileAlong(own, inner, below) : own
    if (!reconciledOwn || reconciledOwn === own) continue
    children ??= new Map(fields.children)
    children.set(element, reconciledOwn)
  }
  return members || children ? new FieldSet(members ?? new Set(fields.members), children ?? new Map(fields.children)) : fields
}

function typeUnder(type: Type, element: string): Type | undefined {
  if (type.kind === 'list') return type.items
  if (!element.startsWith('f:')) return undefined
  if (type.kind === 'map') return type.values
  return type.kind === 'struct' ? type.fields.get(element.slice(2))?.type : undefined
}

function isAtomic(type: Type): boolean {
  if (type.kind === 'list') return type.listType === 'atomic'
  if (type.kind === 'union') return true
  return type.kind !== 'scalar' && type.atomic
}
