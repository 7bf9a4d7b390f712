/** Who manages which fields of an object, as the registry's writes keep it (KEP-555). */
import { apiVersionOf, type AnyKind } from '../../api/kind.ts'
import type { KubeObject } from '../../api/meta/v1/object.ts'
import type { ManagedFieldsEntry } from '../../api/meta/v1/types.gen.ts'
import { semanticEqual } from '../../api/values/equal.ts'
import { formatTime } from '../../api/values/time.ts'
import { emptyObject } from '../../machinery/apply/empty-object.ts'
import { trackUpdate, type Requester } from '../../machinery/apply/field-manager.ts'
import { FieldSet } from '../../machinery/apply/field-set.ts'
import type { MergeTarget, VersionView } from '../../machinery/apply/updater.ts'
import { DecodeError } from '../../machinery/decode/codec.ts'
import type { JsonObject } from '../../machinery/json-value.ts'
import { badRequest } from '../../machinery/status.ts'
import type { KindTypes } from './kind-types.ts'
import type { Call, Registry, WriteParameters } from './registry.ts'

export function requesterOf(registry: Registry, call: Call, parameters: WriteParameters): Requester {
  return {
    manager: parameters.fieldManager || call.manager,
    subresource: call.subresource || undefined,
    now: formatTime(registry.clock.now()),
  }
}

/** Writes down in `object` who manages which fields, after a create (`live` is null), update or patch that is no apply. */
export function track(registry: Registry, call: Call, object: KubeObject, live: KubeObject | null, parameters: WriteParameters): void {
  const target = registry.targets.of(call.resource.kind, call.subresource)
  const entries = trackUpdate(json(live), json(object), requesterOf(registry, call, parameters), target)
  if (entries) object.metadata.managedFields = entries
  else delete object.metadata.managedFields
}

/** A change of nothing but the times in managedFields is no change. */
export function keepTimestamps(object: KubeObject, old: KubeObject): void {
  const [now, before] = [object.metadata.managedFields ?? [], old.metadata.managedFields ?? []]
  if (now.length !== before.length || !now.every((entry, i) => sameEntry(entry, before[i]))) return
  if (!semanticEqual(withoutManaged(object), withoutManaged(old))) return
  if (old.metadata.managedFields) object.metadata.managedFields = [...old.metadata.managedFields]
}

function sameEntry(entry: ManagedFieldsEntry, other: ManagedFieldsEntry | undefined): boolean {
  const { time: _time, ...rest } = entry
  const { time: _other, ...otherRest } = other ?? {}
  return semanticEqual(rest, otherRest)
}

function withoutManaged(object: KubeObject): unknown {
  const { managedFields: _managed, resourceVersion: _version, ...metadata } = object.metadata
  return { ...object, metadata }
}

/** How the endpoints of kinds take part in ownership; each made once. */
export class MergeTargets {
  readonly #types: KindTypes
  readonly #served: () => Iterable<AnyKind>
  readonly #known = new WeakMap<AnyKind, Map<string, MergeTarget>>()

  /** `served`: all kinds, among them those that show the same objects in another shape. */
  constructor(types: KindTypes, served: () => Iterable<AnyKind>) {
    this.#types = types
    this.#served = served
  }

  of(kind: AnyKind, subresource: string): MergeTarget {
    const parts = this.#known.get(kind) ?? new Map<string, MergeTarget>()
    let target = parts.get(subresource)
    if (!target) {
      target = this.#make(kind, subresource)
      this.#known.set(kind, parts.set(subresource, target))
    }
    return target
  }

  #make(kind: AnyKind, subresource: string): MergeTarget {
    const target = { apiVersion: apiVersionOf(kind), ...this.#view(kind, subresource) }
    const { custom } = kind
    if (!custom) return { ...target, other: this.#otherShapes(kind, subresource) }
    const other = (apiVersion: string): VersionView | null => {
      const version = custom.versions.find((one) => apiVersionOf(one) === apiVersion)
      return version ? { ...this.#view(version, subresource), convert: betweenVersions(version, kind) } : null
    }
    return { ...target, other }
  }

  /** The shapes in which other endpoints show this kind's objects, each made once. */
  #otherShapes(kind: AnyKind, subresource: string): (apiVersion: string) => VersionView | null {
    const known = new Map<string, VersionView | null>()
    const make = (apiVersion: string): VersionView | null => {
      for (const shape of this.#served()) {
        if (storedKind(shape) !== storedKind(kind) || apiVersionOf(shape) !== apiVersion) continue
        return { ...this.#view(shape, subresource), convert: this.#betweenShapes(kind, shape) }
      }
      return null
    }
    return (apiVersion) => {
      let view = known.get(apiVersion)
      if (view === undefined) known.set(apiVersion, (view = make(apiVersion)))
      return view
    }
  }

  /** What is taken from an object or not in it yet is there as it would be decoded, on either side. */
  #betweenShapes(kind: AnyKind, shape: AnyKind): VersionView['convert'] {
    const converter = (from: AnyKind, into: AnyKind) => (object: JsonObject) => {
      const given = this.#decoded(from, { ...emptyObject(this.#types.type(from)), ...object })
      const { storedAs } = from
      const stored = storedAs?.undefaulted?.(given) ?? storedAs?.toStored(given) ?? given
      return json(this.#decoded(into, into.storedAs?.fromStored(stored) ?? stored))
    }
    return { to: converter(kind, shape), from: converter(shape, kind) }
  }

  /** Throws StatusError 400. */
  #decoded(kind: AnyKind, object: object): KubeObject {
    try {
      return this.#types.codec(kind).decode({ ...object, apiVersion: apiVersionOf(kind), kind: kind.kind }).object
    } catch (error) {
      if (error instanceof DecodeError) throw badRequest(`failed to convert the object to ${apiVersionOf(kind)}: ${error.message}`, error)
      throw error
    }
  }

  /** What an endpoint puts back to how it was is nobody's through it. */
  #view(kind: AnyKind, subresource: string): VersionView {
    const type = this.#types.type(kind)
    const target = { type }
    if (!kind.subresources['status']) return target
    if (subresource === '') return { ...target, resetFields: FieldSet.ofFields('status') }
    if (subresource !== 'status') return target
    const others = [...type.fields.keys()].filter((name) => !['apiVersion', 'kind', 'metadata', 'status'].includes(name))
    return { ...target, resetFields: FieldSet.ofFields(...others) }
  }
}

const storedKind = (kind: AnyKind): AnyKind => kind.storedAs?.kind ?? kind

/** Versions of a custom resource differ in nothing but their name. */
function betweenVersions(version: AnyKind, kind: AnyKind): VersionView['convert'] {
  const as = (one: AnyKind) => (object: JsonObject) => ({ ...object, apiVersion: apiVersionOf(one) })
  return { to: as(version), from: as(kind) }
}

function json(object: KubeObject): JsonObject
function json(object: KubeObject | null): JsonObject | null
function json(object: KubeObject | null): JsonObject | null {
  return object as unknown as JsonObject | null
}
