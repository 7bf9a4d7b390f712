import { addResources, type ResourceList } from '../../api/core/v1/pod-resources.ts'
import type { ResourceQuotaSpec } from '../../api/core/v1/types.gen.ts'
import type { KubeObject } from '../../api/meta/v1/object.ts'
import { quotaCovers } from './scopes.ts'
import { quotaUsage } from './usage.ts'

/** The objects of one kind in the quota's namespace. */
export interface Counted {
  readonly kind: { readonly group: string; readonly resource: string }
  readonly objects: readonly KubeObject[]
}

/** What all objects together take of what the quota limits; what none of them takes is 0. */
export function totalUsage(spec: ResourceQuotaSpec, all: Iterable<Counted>, now: number): ResourceList {
  const limited = Object.keys(spec.hard ?? {})
  const total: ResourceList = Object.fromEntries(limited.map((name) => [name, '0']))
  for (const { kind, objects } of all) {
    for (const object of objects) {
      if (!quotaCovers(spec, kind, object)) continue
      const usage = quotaUsage(kind, object, now)
      addResources(total, Object.fromEntries(Object.entries(usage).filter(([name]) => name in total)))
    }
  }
  return total
}
