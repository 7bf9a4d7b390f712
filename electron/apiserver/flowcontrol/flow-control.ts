/** API priority and fairness: which requests are served when there are more than the server should work on at once. Source: KEP-1040. */
import { flowSchema } from '../../api/flowcontrol/v1/flow-schema.ts'
import { priorityLevelConfiguration } from '../../api/flowcontrol/v1/priority-level-configuration.ts'
import { isAbort, Mutex } from '../../base/async.ts'
import type { Clock } from '../../base/clock.ts'
import { component, componentWith, startIn, type Component } from '../../base/lifecycle.ts'
import type { Logger } from '../../base/logger.ts'
import type { Client } from '../../client/client.ts'
import { createInformers } from '../../client/informers.ts'
import { failure, type StatusError } from '../../machinery/status.ts'
import type { MetricSource } from '../metrics/metrics.ts'
import { isLongRunning, type RequestInfo } from '../request-info.ts'
import type { ApiRequest, FlowGate, RequestHandler, Ticket } from '../types.ts'
import type { Place, RefusalReason, Verdict } from './fair-queues.ts'
import type { Flow } from './flow.ts'
import { Levels } from './levels.ts'
import { debugHandlers, flowMetrics } from './report.ts'
import { seatsOf } from './seats.ts'
import { ensureDefaults, sayDangling } from './upkeep.ts'

export interface FlowControlOptions {
  /** In-process, as a member of system:masters: its own requests are never limited. */
  readonly client: Client
  readonly clock: Clock
  readonly logger: Logger
  /** Reads and writes at once, together divided among the levels; upstream's by default. */
  readonly maxRequestsInflight?: number | undefined
  readonly maxMutatingRequestsInflight?: number | undefined
  /** How many objects of a request's resource there are. */
  readonly count: (info: RequestInfo) => number
}

/** To be started after the API server, whose client it uses; until then the default objects count as they are written down. */
export interface FlowControl extends Component, FlowGate {
  readonly metrics: MetricSource
  readonly handlers: Readonly<Record<string, RequestHandler>>
}

const READS = 400
const WRITES = 200
/** A quarter of what a request may take in all. */
const PATIENCE_MS = 15_000
const UPKEEP_MS = 60_000
const BORROWING_MS = 10_000
/** Changes that come together are taken together. */
const SETTLE_MS = 20
const NO_HEADERS: Readonly<Record<string, string>> = Object.freeze({})
const UNLIMITED: Ticket = Object.freeze({ headers: NO_HEADERS, refusal: null, release() {} })

export function createFlowControl(options: FlowControlOptions): FlowControl {
  const { client, clock, logger, count } = options
  const seats = Math.max(1, (options.maxRequestsInflight ?? READS) + (options.maxMutatingRequestsInflight ?? WRITES))
  const levels = new Levels({ clock, seats, patience: PATIENCE_MS })

  const base = component(async (stack, signal) => {
    const informers = createInformers(client, { clock, logger: logger.child({ part: 'flowcontrol' }) })
    const [levelObjects, schemaObjects] = [informers.for(priorityLevelConfiguration), informers.for(flowSchema)]
    const present = () => ({ levels: levelObjects.list(), schemas: schemaObjects.list() })
    const writes = new Mutex()
    const trouble = (error: unknown) => {
      if (!isAbort(error)) logger.warn('the objects of flow control could not be kept', { error })
    }
    const keep = () => writes.run(() => ensureDefaults({ client, clock, signal }, present())).catch(trouble)
    let due: Disposable | null = null
    const digest = () => {
      due = null
      const now = present()
      levels.apply(now.levels, now.schemas)
      void writes.run(() => sayDangling({ client, clock, signal }, present())).catch(trouble)
    }
    const changed = () => {
      due ??= clock.setTimeout(digest, SETTLE_MS, { unref: true })
    }
    stack.defer(() => due?.[Symbol.dispose]())
    for (const informer of [levelObjects, schemaObjects]) stack.use(informer.on({ add: changed, update: changed, delete: changed }))
    await startIn(stack, informers, signal)
    await writes.run(() => ensureDefaults({ client, clock, signal }, present()))
    stack.use(clock.setInterval(() => void keep(), UPKEEP_MS, { unref: true }))
    stack.use(clock.setInterval(() => levels.rebalance(clock.monotonic()), BORROWING_MS, { unref: true }))
  })

  return componentWith(base, {
    enter(request: ApiRequest, info: RequestInfo) {
      if (info.verb !== 'watch' && isLongRunning(info)) return UNLIMITED
      return enter(levels.classifier.flowOf(request.user, info), request, info, count, clock)
    },
    metrics: flowMetrics(levels),
    handlers: debugHandlers(levels, () => clock.monotonic()),
  })
}

function enter(
  flow: Flow,
  request: ApiRequest,
  info: RequestInfo,
  count: FlowControlOptions['count'],
  clock: Clock,
): Ticket | Promise<Ticket> {
  const { level, statistics } = flow.lane
  const now = clock.monotonic()
  if (level.exempt) return new Seat(flow, null, 1, clock, now)
  const width = seatsOf(request, info, level.limits.nominal, count)
  const applicant = {
    hand: flow.hand,
    width,
    get signal() {
      return request.signal
    },
  }
  const verdict = level.queues.enter(applicant, now)
  if (!(verdict instanceof Promise)) return settled(flow, verdict, width, 0, clock, now)
  statistics.waiting++
  return verdict.then((late) => {
    statistics.waiting--
    const then = clock.monotonic()
    return settled(flow, late, width, then - now, clock, then)
  })
}

/** `waited` in milliseconds. */
function settled(flow: Flow, verdict: Verdict, width: number, waited: number, clock: Clock, now: number): Ticket {
  const { statistics } = flow.lane
  const served = typeof verdict !== 'string'
  statistics.waits[served ? 'true' : 'false'].observe(waited / 1000)
  return served ? new Seat(flow, verdict, width, clock, now) : refused(flow, verdict)
}

class Seat implements Ticket {
  readonly refusal = null
  readonly #flow: Flow
  readonly #place: Place | null
  readonly #width: number
  readonly #clock: Clock
  readonly #since: number

  constructor(flow: Flow, place: Place | null, width: number, clock: Clock, since: number) {
    this.#flow = flow
    this.#place = place
    this.#width = width
    this.#clock = clock
    this.#since = since
    const { statistics } = flow.lane
    statistics.dispatched++
    statistics.executing++
    statistics.seats += width
  }

  get headers(): Readonly<Record<string, string>> {
    return this.#flow.lane.headers
  }

  release(): void {
    const { statistics } = this.#flow.lane
    statistics.executing--
    statistics.seats -= this.#width
    const now = this.#clock.monotonic()
    statistics.executions.observe((now - this.#since) / 1000)
    this.#place?.leave(now)
  }
}

function refused({ lane: { statistics, headers } }: Flow, reason: RefusalReason): Ticket {
  statistics.refuse(reason)
  const refusal: StatusError = failure(429, 'TooManyRequests', 'Too many requests, please try again later.', { retryAfterSeconds: 1 })
  return { headers, refusal, release() {} }
}
