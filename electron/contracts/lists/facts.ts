/**
 * What both ends of a list agree on: by what each column of a kind is ordered, what its chips hold, by what its rows are grouped, and
 * what of an object crosses to the window. The index beside the plane reads objects with it; the window only shows.
 */
import { withoutManagedFields } from '../../api/meta/v1/managed-fields.ts'
import type { KubeObject } from '../../api/meta/v1/object.ts'
import { controllerOf } from './owners.ts'
import type { PodView } from './pod-status.ts'

export type SortKey = string | number

/** What the index knows beside the object itself. */
export interface Around {
  /** Milliseconds since the epoch. */
  readonly now: number
  /** The worst of the pods that a workload made, if one is in trouble. */
  worstPod(uid: string): PodView | undefined
  /** The workload that a person thinks of as the object's own: "Deployment shop/web". Empty for what nothing made. */
  ownerOf(object: KubeObject): string
}

type Read<T, V> = (object: T, around: Around) => V

export interface ListFacts<T extends KubeObject = KubeObject> {
  /** By a column's id; smaller comes first. Columns that are not here cannot be sorted by. */
  readonly keys: Readonly<Record<string, Read<T, SortKey>>>
  /** By a chip's id: whether the object is among what it counts. At most 30. */
  readonly chips: Readonly<Record<string, Read<T, boolean>>>
  /** By what rows can be grouped beside namespace and owner. */
  readonly groups: Readonly<Record<string, Read<T, string>>>
  /** Smaller comes before the chosen order, if the person wants trouble first. */
  readonly first?: Read<T, number>
  /** What the filter searches beside name, namespace and labels. */
  readonly words?: Read<T, readonly (string | undefined)[]>
  /** The object without what no row shows. It must keep what `keys` and the window's cells read. */
  readonly slim?: (object: T) => KubeObject
  /** Whether it will read differently after a while although nothing writes it. */
  readonly moves?: (object: T, now: number) => boolean
  /** Its pods' troubles are part of how it does. */
  readonly hasPods?: boolean
}

/** Youngest first. */
export const byAge = (object: KubeObject): number => -Date.parse(object.metadata.creationTimestamp)

const COMMON: ListFacts['keys'] = {
  name: (object) => object.metadata.name,
  ns: (object) => object.metadata.namespace ?? '',
  age: byAge,
}
const GROUPS: ListFacts['groups'] = {
  ns: (object) => object.metadata.namespace ?? '',
  owner: (object, around) => around.ownerOf(object),
}

/** The facts of a kind with those that all kinds share. */
export function facts<T extends KubeObject>(own: Partial<ListFacts<T>> = {}): ListFacts<T> {
  return {
    ...own,
    keys: { ...COMMON, ...own.keys },
    chips: own.chips ?? {},
    groups: { ...GROUPS, ...own.groups },
    slim: own.slim ?? slim,
  }
}

const HEAVY = 'kubectl.kubernetes.io/last-applied-configuration'

/** Without field ownership and kubectl's copy of what was applied: no list shows them, and they are often the larger half. */
export function slim<T extends KubeObject>(object: T): T {
  const { annotations, ...metadata } = withoutManagedFields(object.metadata)
  if (!('managedFields' in object.metadata) && !annotations?.[HEAVY]) return object
  const { [HEAVY]: _applied, ...kept } = annotations ?? {}
  return { ...object, metadata: annotations ? { ...metadata, annotations: kept } : metadata }
}

/** What is enough to address an object and to say who made it. */
export function bare(object: KubeObject): KubeObject {
  const { name, namespace, uid, resourceVersion, creationTimestamp, labels } = object.metadata
  const hash = labels?.['pod-template-hash']
  const owner = controllerOf(object)
  return {
    apiVersion: object.apiVersion,
    kind: object.kind,
    metadata: {
      ...{ name, uid, resourceVersion, creationTimestamp },
      ...(namespace === undefined ? {} : { namespace }),
      ...(hash ? { labels: { 'pod-template-hash': hash } } : {}),
      ...(owner ? { ownerReferences: [owner] } : {}),
    },
  }
}
