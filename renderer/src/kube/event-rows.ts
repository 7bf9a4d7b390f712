/** Events as rows: newest first, repeats of the same as one. */
import type { Event } from '../../../electron/api/core/v1/types.gen.ts'
import { resourceOf, type ObjectRef } from './resources.ts'

export interface EventRow {
  readonly uid: string
  readonly reason: string
  readonly message: string
  readonly warning: boolean
  readonly count: number
  readonly first: string
  readonly last: string
  readonly about: { readonly kind: string; readonly namespace: string; readonly name: string; readonly ref: ObjectRef | null }
  readonly source: string
  readonly event: Event
}

export function eventRow(event: Event): EventRow {
  const { kind = '', name = '', namespace = '', apiVersion } = event.involvedObject
  const resource = resourceOf(apiVersion, kind) ?? resourceOf(undefined, kind)
  const time = event.series?.lastObservedTime ?? event.lastTimestamp ?? event.eventTime ?? event.metadata.creationTimestamp
  return {
    uid: event.metadata.uid,
    reason: event.reason ?? '',
    message: event.message ?? '',
    warning: event.type !== undefined && event.type !== 'Normal',
    count: event.series?.count ?? event.count ?? 1,
    first: event.firstTimestamp ?? event.eventTime ?? event.metadata.creationTimestamp,
    last: time,
    about: { kind, namespace, name, ref: resource && name ? { resource, name, ...(resource.namespaced ? { namespace } : {}) } : null },
    source: event.reportingComponent || event.source?.component || '',
    event,
  }
}

export function eventRows(events: readonly Event[]): EventRow[] {
  return events.map(eventRow).toSorted((a, b) => Date.parse(b.last) - Date.parse(a.last))
}

/** Warnings of the last `windowMs`, those of the same workload and reason together; and how many routine ones there were. */
export function eventsThatMatter(events: readonly Event[], now: number, windowMs: number): { rows: EventRow[]; routine: number } {
  const merged = new Map<string, EventRow>()
  let routine = 0
  for (const row of eventRows(events)) {
    if (now - Date.parse(row.last) > windowMs) continue
    if (!row.warning) {
      routine += row.count
      continue
    }
    const key = `${row.about.kind}/${row.about.namespace}/${row.about.name}/${row.reason}`
    const before = merged.get(key)
    merged.set(key, before ? { ...before, count: before.count + row.count } : row)
  }
  return { rows: [...merged.values()], routine }
}
