/** The history of everything that is measured, bounded: who is gone longest leaves first, then the past of what is smallest. */
import type { ArgOf, ResultOf } from '../../contracts/channel.ts'
import { METRIC_FIELDS, type METRICS_CHANNELS, type MetricField, type MetricKind } from '../../contracts/metrics.ts'
import { Series, TIERS, type Sample } from './series.ts'

export interface Subject {
  readonly kind: MetricKind
  readonly name: string
  /** Where a pod or a container is. */
  readonly node?: string | undefined
}

interface Entry {
  subject: Subject
  readonly series: Series
}

type Channels = typeof METRICS_CHANNELS
/** Bytes of values that are kept in memory. */
export const MEMORY_BUDGET = 64 * 1024 * 1024
const RANGES = { hour: 0, day: 1, fortnight: 2 } as const
/** What was not measured for longer is not "now", milliseconds. */
const CURRENT = 60_000

const keyOf = ({ kind, name }: { kind: string; name: string }) => `${kind}:${name}`

export class MetricsHistory {
  readonly #entries = new Map<string, Entry>()
  readonly #budget: number

  constructor(budget: number = MEMORY_BUDGET) {
    this.#budget = budget
  }

  get size(): number {
    return this.#entries.size
  }
  get bytes(): number {
    let bytes = 0
    for (const { series } of this.#entries.values()) bytes += series.bytes
    return bytes
  }

  /** `at`: milliseconds since the epoch. */
  add(at: number, subject: Subject, sample: Sample): void {
    const key = keyOf(subject)
    let entry = this.#entries.get(key)
    if (!entry) this.#entries.set(key, (entry = { subject, series: new Series() }))
    entry.subject = subject
    entry.series.add(at, sample)
  }

  /**
   * Forgets what has no value left in any ring. While there is too much then: who is measured no more, longest ago first; after that the
   * long past of containers and of pods, so that nodes, workloads and namespaces keep theirs.
   */
  trim(now: number): void {
    const [, , coarse] = TIERS
    for (const [key, { series }] of this.#entries) if (now - series.lastAt > coarse.step * coarse.capacity) this.#entries.delete(key)
    let bytes = this.bytes
    if (bytes <= this.#budget) return
    for (const [key, { series }] of [...this.#entries].toSorted(([, a], [, b]) => a.series.lastAt - b.series.lastAt)) {
      if (bytes <= this.#budget) return
      if (now - series.lastAt <= CURRENT) break
      bytes -= series.bytes
      this.#entries.delete(key)
    }
    for (const tier of [2, 1, 0])
      for (const kind of ['container', 'pod'])
        for (const { subject, series } of this.#entries.values()) {
          if (bytes <= this.#budget) return
          if (subject.kind === kind) bytes -= series.forget(tier)
        }
  }

  history({ of, range }: ArgOf<Channels['metrics.history']>, now: number): ResultOf<Channels['metrics.history']> {
    const tier = RANGES[range]
    const { step, capacity } = TIERS[tier]
    const last = Math.floor(now / step)
    return {
      start: (last - capacity + 1) * step,
      step,
      series: of.map((subject) => {
        const series = this.#entries.get(keyOf(subject))?.series
        if (!series) return null
        const values = (field: MetricField) => series.values(field, tier, now, capacity)
        return { cpu: values('cpu'), memory: values('memory'), received: values('received'), sent: values('sent'), disk: values('disk') }
      }),
    }
  }

  top({ kind, by, namespace, node, limit }: ArgOf<Channels['metrics.top']>, now: number): ResultOf<Channels['metrics.top']> {
    const items = [...this.#entries.values()]
      .filter(({ subject, series }) => subject.kind === kind && now - series.lastAt <= CURRENT)
      .filter(({ subject }) => namespace === undefined || subject.name.startsWith(`${namespace}/`) || subject.name === namespace)
      .filter(({ subject }) => node === undefined || subject.node === node)
      .toSorted((a, b) => (b.series.last[by] ?? -1) - (a.series.last[by] ?? -1))
    return {
      total: items.length,
      items: items.slice(0, limit).map(({ subject, series: { last } }) => ({
        name: subject.name,
        node: subject.node ?? null,
        ...(Object.fromEntries(METRIC_FIELDS.map((field) => [field, last[field] ?? null])) as Record<MetricField, number | null>),
      })),
    }
  }

  *entries(): Generator<{ subject: Subject; series: Series }> {
    yield* this.#entries.values()
  }
  restore(subject: Subject, series: Series): void {
    this.#entries.set(keyOf(subject), { subject, series })
  }
}
