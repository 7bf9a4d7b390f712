/** Which Event an occurrence becomes. Source: client-go `tools/record/events_cache.go`: what is alike, and its limits. */
import type { Clock } from '../base/clock.ts'
import type { KubeObject } from '../api/meta/v1/object.ts'

export interface Occurrence {
  readonly regarding: KubeObject
  /** The part of it that is meant: "spec.containers{web}". */
  readonly fieldPath?: string | undefined
  /** Of the Event. */
  readonly namespace: string
  readonly type: 'Normal' | 'Warning'
  readonly reason: string
  readonly message: string
}

export type Decision =
  | { readonly type: 'create'; readonly message: string }
  /** Raise the count of an Event that was written before. */
  | { readonly type: 'count'; readonly name: string; readonly count: number; readonly message: string }
  | { readonly type: 'drop' }

interface Group {
  readonly messages: Set<string>
  lastSeen: number
}

interface Written {
  name: string | null
  count: number
}

interface Bucket {
  tokens: number
  filled: number
}

/** So many different texts for one reason within the interval, and further ones share an Event. */
const DISTINCT = 10
const INTERVAL = 600_000
const COMBINED = '(combined from similar events): '
/** Events about one object: so many at once, then one in five minutes. */
const BURST = 25
const REFILL = 300_000
const REMEMBERED = 4096

export class EventCorrelator {
  readonly #clock: Clock
  readonly #groups = new Map<string, Group>()
  readonly #written = new Map<string, Written>()
  readonly #buckets = new Map<string, Bucket>()

  constructor(clock: Clock) {
    this.#clock = clock
  }

  decide(occurrence: Occurrence): Decision {
    const { key, message } = this.#place(occurrence)
    const known = this.#written.get(key)
    if (known) known.count++
    else remember(this.#written, key, { name: null, count: 1 })
    if (!this.#spend(occurrence.regarding)) return { type: 'drop' }
    if (!known?.name) return { type: 'create', message }
    return { type: 'count', name: known.name, count: known.count, message }
  }

  /** The Event that the occurrence became. */
  written(occurrence: Occurrence, name: string): void {
    const known = this.#written.get(this.#keyOf(occurrence))
    if (known) known.name = name
  }

  /** Counts the text among those of its group, and says under which key it is counted. */
  #place(occurrence: Occurrence): { key: string; message: string } {
    const group = groupKey(occurrence)
    const now = this.#clock.monotonic()
    let known = this.#groups.get(group)
    if (!known || now - known.lastSeen > INTERVAL) remember(this.#groups, group, (known = { messages: new Set(), lastSeen: now }))
    known.lastSeen = now
    known.messages.add(occurrence.message)
    const combined = known.messages.size > DISTINCT
    return { key: this.#keyOf(occurrence), message: combined ? `${COMBINED}${occurrence.message}` : occurrence.message }
  }

  #keyOf(occurrence: Occurrence): string {
    const group = groupKey(occurrence)
    const combined = (this.#groups.get(group)?.messages.size ?? 0) > DISTINCT
    return combined ? group : `${group}\n${occurrence.message}`
  }

  #spend({ kind, metadata }: KubeObject): boolean {
    const key = `${kind}\n${metadata.namespace ?? ''}\n${metadata.name}\n${metadata.uid}`
    const now = this.#clock.monotonic()
    const bucket = this.#buckets.get(key) ?? { tokens: BURST, filled: now }
    const gained = (now - bucket.filled) / REFILL
    const tokens = Math.min(BURST, bucket.tokens + gained)
    const allowed = tokens >= 1
    remember(this.#buckets, key, { tokens: allowed ? tokens - 1 : tokens, filled: now })
    return allowed
  }
}

function groupKey({ regarding: { apiVersion, kind, metadata }, fieldPath = '', type, reason }: Occurrence): string {
  return [apiVersion, kind, metadata.namespace ?? '', metadata.name, metadata.uid, fieldPath, type, reason].join('\n')
}

/** The longest unused make room. */
function remember<T>(map: Map<string, T>, key: string, value: T): void {
  map.delete(key)
  if (map.size >= REMEMBERED) map.delete(String(map.keys().next().value))
  map.set(key, value)
}
