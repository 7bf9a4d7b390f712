/** What one thing used: five figures, each in three rings from fine to coarse. */
import { METRIC_FIELDS, type MetricField } from '../../contracts/metrics.ts'
import { Ring, type RingState } from './ring.ts'

export type Sample = Readonly<Partial<Record<MetricField, number>>>

export interface Tier {
  /** Milliseconds. */
  readonly step: number
  readonly capacity: number
}

/** 15 s for an hour, a minute for a day, ten minutes for a fortnight. */
export const TIERS: readonly [Tier, Tier, Tier] = [
  { step: 15_000, capacity: 240 },
  { step: 60_000, capacity: 1440 },
  { step: 600_000, capacity: 2016 },
]

interface Mean {
  step: number
  sum: number
  n: number
}

export class Series {
  readonly #rings = new Map<string, Ring>()
  /** Of the coarser tiers' present steps. */
  readonly #means = new Map<string, Mean>()
  #last: Sample = {}
  /** When it was measured last, milliseconds since the epoch. */
  lastAt = 0

  get last(): Sample {
    return this.#last
  }
  get bytes(): number {
    let bytes = 0
    for (const ring of this.#rings.values()) bytes += ring.bytes
    return bytes
  }

  add(at: number, sample: Sample): void {
    this.#last = sample
    this.lastAt = at
    for (const field of METRIC_FIELDS) {
      const value = sample[field]
      if (value === undefined || !Number.isFinite(value)) continue
      for (const [i, tier] of TIERS.entries()) this.#put(`${field}/${i}`, tier, at, value)
    }
  }

  /** Of `count` steps up to the one of `until`; null where nothing was measured. */
  values(field: MetricField, tier: 0 | 1 | 2, until: number, count: number): (number | null)[] {
    const ring = this.#rings.get(`${field}/${tier}`)
    const last = Math.floor(until / TIERS[tier].step)
    return Array.from({ length: count }, (_, i) => {
      const value = ring?.get(last - count + 1 + i) ?? Number.NaN
      return Number.isNaN(value) ? null : value
    })
  }

  /** Drops a tier's values; the bytes that they took. */
  forget(tier: number): number {
    const before = this.bytes
    for (const field of METRIC_FIELDS) this.#rings.delete(`${field}/${tier}`)
    return before - this.bytes
  }

  /** Rings by "FIELD/TIER". */
  *states(): Generator<[key: string, state: RingState]> {
    for (const [key, ring] of this.#rings) yield [key, ring.state()]
  }
  restore(key: string, state: RingState): void {
    const tier = TIERS[Number(key.split('/')[1])]
    if (tier) this.#rings.set(key, new Ring(tier.capacity, state))
  }

  #put(key: string, { step, capacity }: Tier, at: number, value: number): void {
    let ring = this.#rings.get(key)
    if (!ring) this.#rings.set(key, (ring = new Ring(capacity)))
    const now = Math.floor(at / step)
    let mean = this.#means.get(key)
    if (mean?.step !== now) this.#means.set(key, (mean = { step: now, sum: 0, n: 0 }))
    mean.sum += value
    mean.n++
    ring.set(now, mean.sum / mean.n)
  }
}
