/** Events as a person asks for them: what broke first, the same of the same workload as one. */
import type { EventRow } from '../../kube/event-rows.ts'

export interface EventGroup {
  readonly key: string
  readonly warning: boolean
  readonly reason: string
  readonly kind: string
  readonly namespace: string
  /** Of the one object, or what the names of several have in common. */
  readonly name: string
  /** How often in all. */
  readonly count: number
  readonly first: string
  readonly last: string
  /** The newest one's. */
  readonly message: string
  /** The newest of each object, newest first. */
  readonly rows: readonly EventRow[]
}

/** Letters and digits of names that are made up (apimachinery `rand.SafeEncodeString`). */
const SAFE = '[bcdfghjklmnpqrstvwxz2456789]'
const SUFFIX = new RegExp(`-${SAFE}{5}$`)
const HASH = new RegExp(`-${SAFE}{8,10}$`)

/** A pod's or a ReplicaSet's name without what was made up for it. */
export function stemOf(kind: string, name: string): string {
  if (kind === 'Pod') return name.replace(SUFFIX, '').replace(HASH, '')
  return kind === 'ReplicaSet' ? name.replace(HASH, '') : name
}

/** Warnings first, then by when it happened last. */
export function eventGroups(rows: readonly EventRow[]): EventGroup[] {
  const groups = new Map<string, EventRow[]>()
  for (const row of rows) {
    const { kind, namespace, name } = row.about
    const key = JSON.stringify([row.warning, row.reason, kind, namespace, stemOf(kind, name)])
    const group = groups.get(key)
    if (group) group.push(row)
    else groups.set(key, [row])
  }
  return [...groups]
    .map(([key, all]) => groupOf(key, all))
    .toSorted((a, b) => Number(b.warning) - Number(a.warning) || later(a.last, b.last))
}

const later = (a: string, b: string) => Date.parse(b) - Date.parse(a)

function groupOf(key: string, all: readonly EventRow[]): EventGroup {
  const sorted = all.toSorted((a, b) => later(a.last, b.last))
  const [newest] = sorted as [EventRow]
  const objects = new Map<string, EventRow>()
  for (const row of sorted) {
    const known = objects.get(row.about.name)
    objects.set(row.about.name, known ? { ...known, count: known.count + row.count } : row)
  }
  const { kind, namespace, name } = newest.about
  return {
    key,
    warning: newest.warning,
    reason: newest.reason,
    kind,
    namespace,
    name: objects.size > 1 ? stemOf(kind, name) : name,
    count: all.reduce((sum, row) => sum + row.count, 0),
    first: all.reduce((least, row) => (later(least, row.first) < 0 ? row.first : least), newest.first),
    last: newest.last,
    message: newest.message,
    rows: [...objects.values()],
  }
}

export interface Slot {
  /** Milliseconds since the epoch. */
  readonly at: number
  readonly warnings: number
  readonly others: number
}

/** How many there were in each of `count` steps up to now. What was repeated is known by its first and its last time only. */
export function histogram(rows: readonly EventRow[], now: number, step: number, count: number): Slot[] {
  const last = Math.floor(now / step)
  const slots = Array.from({ length: count }, (_, i) => ({ at: (last - count + 1 + i) * step, warnings: 0, others: 0 }))
  const put = (time: string, warning: boolean) => {
    const slot = slots[Math.floor(Date.parse(time) / step) - (last - count + 1)]
    if (slot) slot[warning ? 'warnings' : 'others']++
  }
  for (const row of rows) {
    put(row.last, row.warning)
    if (row.count > 1 && row.first !== row.last) put(row.first, row.warning)
  }
  return slots
}
