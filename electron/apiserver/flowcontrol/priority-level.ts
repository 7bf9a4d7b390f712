/** One priority level at work: its seats, its queues and what became of its requests. */
import type { PriorityLevelConfigurationSpec } from '../../api/flowcontrol/v1/types.gen.ts'
import type { Clock } from '../../base/clock.ts'
import type { Limits, Shares } from './allocation.ts'
import { Demand } from './demand.ts'
import { FairQueues } from './fair-queues.ts'

export class PriorityLevel {
  readonly name: string
  readonly demand: Demand
  readonly queues: FairQueues
  /** "" until the object is known. */
  uid = ''
  limits: Limits = { nominal: 0, min: 0, max: 0 }
  #spec: PriorityLevelConfigurationSpec
  #current = 0

  constructor(name: string, spec: PriorityLevelConfigurationSpec, clock: Clock) {
    this.name = name
    this.demand = new Demand(clock.monotonic())
    this.queues = new FairQueues(clock, (seats, now) => this.demand.set(seats, now))
    this.#spec = spec
  }

  get exempt(): boolean {
    return this.#spec.type === 'Exempt'
  }

  get shares(): Shares {
    const { limited, exempt } = this.#spec
    const { nominalConcurrencyShares: shares = 0, lendablePercent = 0 } = limited ?? exempt ?? {}
    return { shares, lendablePercent, borrowingPercent: limited?.borrowingLimitPercent ?? null }
  }

  /** How many queues there are, and how many of them a flow may use; 0 where nobody waits. */
  get deck(): { readonly queues: number; readonly handSize: number } {
    const queuing = this.#spec.limited?.limitResponse.queuing
    return queuing ? { queues: queuing.queues, handSize: queuing.handSize } : { queues: 0, handSize: 0 }
  }

  /** `patience`: how long a request may wait, in milliseconds. */
  configure(spec: PriorityLevelConfigurationSpec, uid: string, patience: number): void {
    this.#spec = spec
    this.uid = uid
    const { queues = 0, queueLengthLimit = 0 } = spec.limited?.limitResponse.queuing ?? {}
    this.queues.configure({ queues, lengthLimit: queueLengthLimit, patience })
  }

  /** The seats that it has now, with what it borrowed and without what it lent. */
  get current(): number {
    return this.#current
  }

  set current(seats: number) {
    this.#current = seats
    this.queues.limit = seats
  }
}
