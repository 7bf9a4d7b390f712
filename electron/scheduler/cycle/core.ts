/** What the parts of a running scheduler share. */
import type { Pod } from '../../api/core/v1/types.gen.ts'
import type { Clock } from '../../base/clock.ts'
import type { Logger } from '../../base/logger.ts'
import type { Random } from '../../base/random.ts'
import type { AttemptLedger } from '../explain/attempt-ledger.ts'
import type { Extender } from '../extenders/extender.ts'
import type { Events } from '../framework/descriptor.ts'
import type { Framework } from '../framework/framework.ts'
import type { SchedulingQueue } from '../queue/scheduling-queue.ts'
import type { SchedulerCache } from '../snapshot/cache.ts'
import type { StatusWriter } from '../writes/status-writer.ts'
import type { Throttle } from './throttle.ts'
import type { WaitingPods } from './waiting-pods.ts'

/** A profile at work. */
export interface ProfileRuntime {
  readonly framework: Framework
  readonly events: Events
}

export interface SchedulerCore {
  readonly clock: Clock
  readonly random: Random
  readonly logger: Logger
  /** Aborts when the scheduler is stopped. */
  readonly signal: AbortSignal
  readonly queue: SchedulingQueue
  readonly cache: SchedulerCache
  readonly waiting: WaitingPods
  readonly statuses: StatusWriter
  /** Bindings and evictions. */
  readonly calls: Throttle
  readonly ledger: AttemptLedger
  readonly extenders: readonly Extender[]
  /** By `spec.schedulerName`. */
  readonly profiles: ReadonlyMap<string, ProfileRuntime>
  /** The pod as informers have it now. */
  livePod(namespace: string, name: string): Pod | undefined
  /** The pod as the API server has it; null if it is not there. Throws StatusError. */
  readonly fetchPod: (namespace: string, name: string) => Promise<Pod | null>
}
