/** What became of a schema's requests, and who goes together in its queues. */
import type { FlowSchema } from '../../api/flowcontrol/v1/types.gen.ts'
import { Histogram } from '../metrics/histogram.ts'
import type { RefusalReason } from './fair-queues.ts'
import type { PriorityLevel } from './priority-level.ts'

/** In seconds. */
const WAITS = [0, 0.005, 0.02, 0.05, 0.1, 0.2, 0.5, 1, 2, 5, 10, 15, 30]

export class SchemaStatistics {
  dispatched = 0
  executing = 0
  seats = 0
  waiting = 0
  readonly refused = new Map<RefusalReason, number>()
  readonly waits = { true: new Histogram(WAITS), false: new Histogram(WAITS) }
  readonly executions = new Histogram(WAITS)

  refuse(reason: RefusalReason): void {
    this.refused.set(reason, (this.refused.get(reason) ?? 0) + 1)
  }
}

/** A schema with the level that it leads to. */
export interface Lane {
  readonly schema: FlowSchema
  readonly level: PriorityLevel
  readonly statistics: SchemaStatistics
  /** For answers. */
  readonly headers: Readonly<Record<string, string>>
}

/** Requests that are treated alike. */
export interface Flow {
  readonly lane: Lane
  readonly distinguisher: string
  /** The queues that it may use. */
  readonly hand: readonly number[]
}
