/** The shapes that every Kubernetes object shares, typed as this server hands them out. Source: apimachinery meta/v1. */
import type { ManagedFieldsEntry, OwnerReference } from './types.gen.ts'

/** A number with a unit, as its canonical string: "100m", "64Mi", "2". See `api/values/quantity.ts`. */
export type Quantity = string
/** A number, or a string such as a port's name or "25%". */
export type IntOrString = number | string
/** RFC 3339, whole seconds, UTC: "2026-11-21T08:00:00Z". */
export type Time = string
/** RFC 3339 with microseconds, UTC: "2026-11-21T08:00:00.000000Z". */
export type MicroTime = string

export interface ObjectMeta {
  name: string
  /** Absent on cluster-scoped objects. */
  namespace?: string
  generateName?: string
  uid: string
  /** Opaque to clients; in this server the decimal store revision of the last write. */
  resourceVersion: string
  generation?: number
  creationTimestamp: Time
  deletionTimestamp?: Time
  /** Seconds. */
  deletionGracePeriodSeconds?: number
  labels?: Record<string, string>
  annotations?: Record<string, string>
  ownerReferences?: OwnerReference[]
  finalizers?: string[]
  managedFields?: ManagedFieldsEntry[]
  selfLink?: string
}

export interface KubeObject {
  apiVersion: string
  kind: string
  metadata: ObjectMeta
}

export interface KubeList<T extends KubeObject> {
  apiVersion: string
  kind: string
  metadata: { resourceVersion?: string; continue?: string; remainingItemCount?: number }
  items: T[]
}

/** An object as a client may send it: everything that the server fills in may be left out. */
export type Draft<T> = T extends (infer U)[] ? Draft<U>[] : T extends object ? { [K in keyof T]?: Draft<T[K]> } : T
