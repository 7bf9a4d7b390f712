/** The priority levels and flow schemas that are in force, and the seats among them. */
import type { FlowSchema, PriorityLevelConfiguration } from '../../api/flowcontrol/v1/types.gen.ts'
import type { Clock } from '../../base/clock.ts'
import { allocate, limitsOf } from './allocation.ts'
import { Classifier } from './classifier.ts'
import {
  MANDATORY_LEVELS,
  MANDATORY_SCHEMAS,
  SUGGESTED_LEVELS,
  SUGGESTED_SCHEMAS,
  type DefaultLevel,
  type DefaultSchema,
} from '../../api/flowcontrol/v1/defaults.ts'
import { SchemaStatistics } from './flow.ts'
import { PriorityLevel } from './priority-level.ts'
import type { DemandStatistics } from './demand.ts'

export interface LevelsOptions {
  readonly clock: Clock
  /** Seats of the whole server. */
  readonly seats: number
  /** How long a request may wait, in milliseconds. */
  readonly patience: number
}

export class Levels {
  readonly #options: LevelsOptions
  readonly #levels = new Map<string, PriorityLevel>()
  /** By schema and level: counters go on when either changes. */
  readonly #statistics = new Map<string, SchemaStatistics>()
  readonly #demands = new Map<string, DemandStatistics>()
  #classifier: Classifier
  #fraction = 1

  /** As the defaults have it, until the cluster's own objects are known. */
  constructor(options: LevelsOptions) {
    this.#options = options
    const objectOf = <T>(given: DefaultLevel | DefaultSchema) => ({ ...given, metadata: { ...given.metadata, uid: '' }, status: {} }) as T
    this.#classifier = this.apply(
      [...MANDATORY_LEVELS, ...SUGGESTED_LEVELS].map((level) => objectOf<PriorityLevelConfiguration>(level)),
      [...MANDATORY_SCHEMAS, ...SUGGESTED_SCHEMAS].map((schema) => objectOf<FlowSchema>(schema)),
    )
  }

  get classifier(): Classifier {
    return this.#classifier
  }

  get all(): readonly PriorityLevel[] {
    return [...this.#levels.values()].toSorted((a, b) => (a.name < b.name ? -1 : 1))
  }

  /** What each not lent level gets of what it wants. */
  get fraction(): number {
    return this.#fraction
  }

  /** Of the last period. */
  get demands(): ReadonlyMap<string, DemandStatistics> {
    return this.#demands
  }

  /** Schemas whose level is missing count for nothing; what is mandatory is there in any case. */
  apply(levels: readonly PriorityLevelConfiguration[], schemas: readonly FlowSchema[]): Classifier {
    const names = new Set([...levels, ...MANDATORY_LEVELS].map(({ metadata }) => metadata.name))
    for (const name of this.#levels.keys()) if (!names.has(name)) this.#levels.delete(name)
    for (const { metadata, spec } of withDefaults(levels, MANDATORY_LEVELS)) {
      const level = this.#levels.get(metadata.name) ?? new PriorityLevel(metadata.name, spec, this.#options.clock)
      level.configure(spec, metadata.uid ?? '', this.#options.patience)
      this.#levels.set(metadata.name, level)
    }
    this.#divide()
    const ordered = withDefaults(schemas, MANDATORY_SCHEMAS).toSorted(
      (a, b) => a.spec.matchingPrecedence - b.spec.matchingPrecedence || (a.metadata.name < b.metadata.name ? -1 : 1),
    )
    this.#classifier = new Classifier(ordered.flatMap((schema) => this.#laneOf(schema as FlowSchema) ?? []))
    return this.#classifier
  }

  /** Lends what is not needed to those who need more. */
  rebalance(now: number): void {
    const limited = [...this.#levels.values()].filter(({ exempt }) => !exempt)
    if (limited.every(({ demand, limits, current }) => demand.idle && current === limits.nominal)) return
    const wishes = limited.map(({ name, limits, demand }) => {
      const taken = demand.take(now)
      this.#demands.set(name, taken)
      return { limits, high: taken.high, smooth: demand.smooth }
    })
    if (wishes.every(({ smooth, high }) => smooth < 0.5 && high === 0)) return this.#divide()
    const kept = [...this.#levels.values()].filter(({ exempt }) => exempt).reduce((sum, { limits }) => sum + limits.min, 0)
    const { seats, fraction } = allocate(wishes, this.#options.seats - kept)
    this.#fraction = fraction
    limited.forEach((level, i) => (level.current = seats[i] ?? level.limits.nominal))
  }

  #divide(): void {
    const levels = [...this.#levels.values()]
    const limits = limitsOf(
      levels.map(({ shares }) => shares),
      this.#options.seats,
    )
    levels.forEach((level, i) => {
      level.limits = limits[i] ?? level.limits
      level.current = level.limits.nominal
    })
  }

  #laneOf(schema: FlowSchema) {
    const level = this.#levels.get(schema.spec.priorityLevelConfiguration.name)
    if (!level) return null
    const key = `${schema.metadata.name} ${level.name}`
    const statistics = this.#statistics.get(key) ?? new SchemaStatistics()
    this.#statistics.set(key, statistics)
    const headers = {
      'x-kubernetes-pf-flowschema-uid': schema.metadata.uid ?? '',
      'x-kubernetes-pf-prioritylevel-uid': level.uid,
    }
    return { schema, level, statistics, headers }
  }
}

function withDefaults<
  T extends { metadata: { name?: string; uid?: string }; spec: unknown },
  D extends { metadata: { name: string }; spec: unknown },
>(objects: readonly T[], defaults: readonly D[]): (T | (D & { metadata: { uid?: string } }))[] {
  const missing = defaults.filter(({ metadata }) => objects.every((object) => object.metadata.name !== metadata.name))
  return [...objects, ...missing]
}
