/** What the functions of this folder work on, and what they are told of a request. */
import type { Clock } from '../../base/clock.ts'
import type { Logger } from '../../base/logger.ts'
import type { Random } from '../../base/random.ts'
import type { KubeObject } from '../../api/meta/v1/object.ts'
import type { LeaseId, Store } from '../../store/store.ts'
import type { Admission } from '../admission/admission.ts'
import type { UserInfo } from '../types.ts'
import type { Companions } from './guaranteed-update.ts'
import type { KeyedMutex } from './keyed-mutex.ts'
import type { KindTypes } from './kind-types.ts'
import type { MergeTargets } from './managed-fields.ts'
import type { Quotas } from './quota.ts'
import type { Resource } from './storage.ts'

export interface Registry {
  readonly store: Store
  readonly locks: KeyedMutex
  readonly clock: Clock
  readonly random: Random
  readonly logger: Logger
  readonly admission: Admission
  readonly quotas: Quotas
  readonly types: KindTypes
  readonly targets: MergeTargets
  /** What a resource does beside what its kind says, by "resource.group". */
  readonly hooks: ReadonlyMap<string, ResourceHooks>
}

/** What one request is for and on whose behalf. */
export interface Call {
  readonly resource: Resource
  /** "" for cluster-scoped resources, and for lists over all namespaces. */
  readonly namespace: string
  readonly name: string
  readonly subresource: string
  readonly user: UserInfo
  /** Who manages the fields, where the request does not say. */
  readonly manager: string
  readonly signal: AbortSignal
  /** Adds a Warning header. */
  warn(text: string): void
  /** Notes something about the decision for an audit log. */
  readonly annotate?: (key: string, value: string) => void
  /** Told what was sent, for an audit log: the decoded object before anything changes it, or the bytes of a patch. */
  readonly received?: (sent: KubeObject | Uint8Array) => void
}

export interface WriteParameters {
  readonly dryRun: boolean
  /** "": the call's. */
  readonly fieldManager: string
  readonly fieldValidation: 'Ignore' | 'Warn' | 'Strict'
  readonly force: boolean
}

/**
 * Where a resource needs the store: for what must be unique across objects, and for what ends only when more than `finalizers` is
 * empty. Functions may change the object they are given as new.
 */
export interface ResourceHooks {
  /** After the kind's own preparation, before validation; may fill in what it reserves. */
  create?(object: KubeObject, call: Call): Promise<Companions | null> | Companions | null
  update?(object: KubeObject, old: KubeObject, call: Call): Promise<Companions | null> | Companions | null
  /** What goes with the object. */
  remove?(object: KubeObject): Companions | null
  /** Keeps an object that is being deleted although it has no finalizers. */
  holds?(object: KubeObject): boolean
  /** Changes an object on the first delete that does not remove it at once. */
  terminating?(object: KubeObject): void
  /** A new object's status is what its creator says (Node). */
  readonly keepsStatusOnCreate?: boolean
  /** What ends the object when its time is over. */
  lease?(): Promise<LeaseId>
}
