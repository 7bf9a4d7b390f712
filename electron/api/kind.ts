/**
 * A kind as data. Each built-in kind is one file that calls `defineKind`; the server, kubectl's discovery, tables and the UI all
 * read this description. Custom resources are turned into the same shape at run time. Functions here are pure: no clock, no
 * store, no client. What needs those (allocating a ClusterIP, say) lives in the API server, keyed by resource.
 */
import type { CustomResourceSubresourceScale, JSONSchemaProps } from './apiextensions/v1/types.gen.ts'
import type { KubeObject } from './meta/v1/object.ts'
import type { FieldError } from './values/field-error.ts'
import { nameIsDnsSubdomain, type NameCheck } from './values/names.ts'

export interface Kind<T extends KubeObject = KubeObject> {
  /** "" for the core group. */
  readonly group: string
  readonly version: string
  readonly kind: string
  /** Plural, lower case, as in paths: "deployments". */
  readonly resource: string
  readonly singular: string
  readonly shortNames: readonly string[]
  readonly categories: readonly string[]
  readonly namespaced: boolean
  /** Name of the model in the schema facts: "io.k8s.api.apps.v1.Deployment". */
  readonly model: string
  /** What its objects may be called; by default an RFC 1123 subdomain. For `validateObjectMeta` (`meta/v1/validation.ts`). */
  readonly validateName: NameCheck
  readonly verbs: readonly Verb[]
  /** By name as in the path: "status", "scale", "log". */
  readonly subresources: Readonly<Record<string, Subresource>>
  /** Printer columns after Name, without Age unless listed here. One with format "name" stands for Name at its place. */
  readonly columns: readonly Column<T>[]
  /** Field selectors beside metadata.name and metadata.namespace. */
  readonly selectableFields: Readonly<Record<string, FieldOf<T>>>
  readonly strategy: Strategy<T>
  /** For a kind that shows objects of another one in a shape of its own (events.k8s.io): they are stored once, as the other. */
  readonly storedAs?: StoredForm<T>
  /** Older versions of the group in which it may be sent too, because their shape is the same. */
  readonly accepts?: readonly string[]
  /** Of a custom resource only: its shape is not in the schema facts. */
  readonly custom?: CustomForm
  /** Its objects are worked out when they are asked for, and stored nowhere: the server has a `Reader` for them. */
  readonly answered?: true
  /** A Warning header for everyone who uses this version. */
  readonly deprecationWarning?: string
}

/** A version of a custom resource. */
export interface CustomForm {
  /** Structural. */
  readonly schema: JSONSchemaProps
  /** All versions of the resource that are served, this one included. */
  readonly versions: readonly AnyKind[]
}

/** Both functions are pure and return new objects. What one version of the shape lacks, the other keeps. */
export interface StoredForm<T extends KubeObject = KubeObject> {
  readonly kind: AnyKind
  toStored(object: T): KubeObject
  /** `toStored` without what it adds by default; absent where it adds nothing. */
  undefaulted?(object: T): KubeObject
  fromStored(stored: KubeObject): T
  /** Where someone else must be asked to convert; then the two functions above only know what needs no asking. */
  readonly ask?: AskedForm
}

/** Throws StatusError. */
export interface AskedForm {
  toStored(object: KubeObject): Promise<KubeObject>
  /** All at once, in their order. */
  fromStored(stored: readonly KubeObject[]): Promise<KubeObject[]>
}

/** Any kind, where the object's type does not matter. */
export type AnyKind = Kind

export type Verb = 'create' | 'delete' | 'deletecollection' | 'get' | 'list' | 'patch' | 'update' | 'watch'
export const ALL_VERBS: readonly Verb[] = ['create', 'delete', 'deletecollection', 'get', 'list', 'patch', 'update', 'watch']

export interface Subresource {
  readonly verbs: readonly Verb[]
  /** The kind that is sent and returned, where it is not the parent's: "Scale", "Binding", "Eviction". */
  readonly kind?: string
  readonly group?: string
  readonly version?: string
  /** Of a custom resource's scale: where its numbers are. */
  readonly paths?: CustomResourceSubresourceScale
  /** Rules of an update through this subresource, instead of the kind's own `prepareForUpdate`, `validate` and `validateUpdate`. */
  readonly strategy?: SubresourceStrategy
}

/** Of subresources that take the kind's own objects and change a part of them: pods/resize, namespaces/finalize. */
export interface SubresourceStrategy {
  /** Takes everything that this subresource must not change back to how it was. */
  prepareForUpdate(object: KubeObject, old: KubeObject): void
  validateUpdate(object: KubeObject, old: KubeObject): FieldError[]
}

/** Reads one selectable field. Declared as a method's type so that a `Kind<Pod>` is an `AnyKind`. */
export type FieldOf<T> = { read(object: T): string }['read']

export interface Column<T> {
  readonly name: string
  readonly type: 'string' | 'integer' | 'number' | 'boolean' | 'date'
  readonly format?: 'name' | ''
  readonly description: string
  /** 0 is always shown; 1 with `-o wide`. */
  readonly priority?: number
  /** `now` is in milliseconds since the epoch. Ages come out as Kubernetes prints them: "5m", "<unknown>". */
  value(object: T, now: number): string | number | boolean | null
}

/**
 * How objects of a kind are made ready, checked and compared. All functions may be absent. `prepare*` and `defaults` change the
 * object in place; the generic server already handles metadata, generation, and keeping `status` apart where there is a status
 * subresource.
 */
export interface Strategy<T> {
  /** Defaults beyond those in the schema facts; must be idempotent. Runs on what is decoded and after each patch. */
  defaults?(object: T): void
  prepareForCreate?(object: T): void
  prepareForUpdate?(object: T, old: T): void
  prepareForStatusUpdate?(object: T, old: T): void
  validate?(object: T): FieldError[]
  /**
   * Called before an object is validated, for checks that may take long: a promise does them in pieces, and those that follow then answer
   * at once. The object does not change in between.
   */
  examine?(object: T, old?: T): Promise<void> | undefined
  /** Called with the result of `validate` already known to be empty or not; returns only what concerns the change. */
  validateUpdate?(object: T, old: T): FieldError[]
  validateStatusUpdate?(object: T, old: T): FieldError[]
  /** In the place of `validate` on an update, for kinds that bear with what was wrong before (KEP-4008). */
  validateChanged?(object: T, old: T): FieldError[]
  /** Texts for Warning headers. */
  warnings?(object: T, old: T | null): string[]
  /** Whether a changed object gets a new generation; by default everything but metadata and status counts. */
  generationChanged?(object: T, old: T): boolean
  /** For kinds that end gracefully (Pod): the grace period in seconds to record, or null to delete at once. */
  gracePeriod?(object: T, asked: number | undefined): number | null
  /** PUT on a name that does not exist creates it (Lease, Endpoints, …). */
  allowCreateOnUpdate?: boolean
  /** An update without resourceVersion is refused. */
  requireResourceVersion?: boolean
}

/** What a kind's file writes down; the rest has the usual values. */
export interface KindSpec<T extends KubeObject> extends Partial<Omit<Kind<T>, 'subresources'>> {
  readonly group: string
  readonly version: string
  readonly kind: string
  readonly resource: string
  readonly model: string
  readonly namespaced: boolean
  /** Short form: `status: true`, `scale: true` stand for what they always are. */
  readonly subresources?: { readonly [name: string]: Subresource | true }
}

const COMMON_SUBRESOURCES: Record<string, Subresource> = {
  status: { verbs: ['get', 'patch', 'update'] },
  scale: { verbs: ['get', 'patch', 'update'], group: 'autoscaling', version: 'v1', kind: 'Scale' },
}

export function defineKind<T extends KubeObject>(spec: KindSpec<T>): Kind<T> {
  const subresources: Record<string, Subresource> = {}
  for (const [name, value] of Object.entries(spec.subresources ?? {})) {
    const known = value === true ? COMMON_SUBRESOURCES[name] : value
    if (!known) throw new Error(`subresource ${name} of ${spec.kind} needs a description`)
    subresources[name] = known
  }
  return Object.freeze({
    singular: spec.kind.toLowerCase(),
    shortNames: [],
    categories: [],
    validateName: nameIsDnsSubdomain,
    verbs: ALL_VERBS,
    columns: [],
    selectableFields: {},
    strategy: {},
    ...spec,
    subresources,
  })
}

/** What a subresource's own kind writes down. */
export interface SubresourceKindSpec<T extends KubeObject> {
  readonly group: string
  readonly version: string
  readonly kind: string
  readonly model: string
  readonly accepts?: readonly string[]
  readonly columns?: readonly Column<T>[]
  readonly strategy?: Strategy<T>
}

/** A kind that only subresources take or show (Scale, Eviction, TokenRequest): no resource of its own, and not in the list of kinds. */
export function defineSubresourceKind<T extends KubeObject>(spec: SubresourceKindSpec<T>): Kind<T> {
  return defineKind({ ...spec, resource: `${spec.kind.toLowerCase()}s`, namespaced: true, verbs: [] })
}

/** "v1" or "apps/v1". */
export function apiVersionOf(kind: { group: string; version: string }): string {
  return kind.group ? `${kind.group}/${kind.version}` : kind.version
}

/** The path of a collection, or with `name` of one object, or with `subresource` of a part of it. No trailing slash. */
export function pathOf(
  kind: { group: string; version: string; resource: string },
  namespace?: string,
  name?: string,
  subresource?: string,
): string {
  const root = kind.group ? `/apis/${kind.group}/${kind.version}` : `/api/${kind.version}`
  const scope = namespace ? `/namespaces/${encodeURIComponent(namespace)}` : ''
  const tail = name ? `/${encodeURIComponent(name)}${subresource ? `/${subresource}` : ''}` : ''
  return `${root}${scope}/${kind.resource}${tail}`
}

/** "deployments.apps", "pods". */
export function groupResource(kind: { group: string; resource: string }): string {
  return kind.group ? `${kind.resource}.${kind.group}` : kind.resource
}
