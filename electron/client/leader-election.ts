/**
 * Of several processes that could do a work, the one that holds a Lease does it. Source: client-go `tools/leaderelection`, its times
 * and events included. Other clocks are never trusted: a holder is given up when its Lease did not change for that long here.
 */
import { lease as leaseKind } from '../api/coordination/v1/lease.ts'
import type { Lease, LeaseSpec } from '../api/coordination/v1/types.gen.ts'
import { formatMicroTime } from '../api/values/time.ts'
import { aborted, type Deferred, deferred } from '../base/async.ts'
import { type Clock, deadline, sleep } from '../base/clock.ts'
import { type Component, component } from '../base/lifecycle.ts'
import type { Logger } from '../base/logger.ts'
import type { Random } from '../base/random.ts'
import { hasReason } from '../machinery/status.ts'
import type { Client } from './client.ts'
import { createEventRecorder, type EventRecorder } from './event-recorder.ts'

/** For how long a Lease holds after it was renewed, in milliseconds. */
const HOLDS = 15_000
/** A holder that could not renew it for so long stops its work, in milliseconds: earlier than another may begin. */
const GIVES_UP = 10_000
/** Between two tries, in milliseconds, and by how much of it a wait for the Lease is made longer at the most. */
const RETRY = 2000
const JITTER = 1.2
/** How long one that is to stop still waits for an answer, in milliseconds: whoever cannot give the Lease back leaves it to run out. */
const FAREWELL = 2000

export interface ElectionOptions {
  readonly client: Client
  readonly lease: { readonly namespace: string; readonly name: string }
  /** Unique among all processes, for ever. */
  readonly identity: string
  readonly clock: Clock
  readonly random: Random
  readonly logger: Logger
}

/**
 * Starts what `make` gives whenever this process becomes the holder, and stops it when it is no longer. `start` returns when the work
 * is done here or by another process.
 */
export function elected(options: ElectionOptions, make: () => Component): Component {
  return component(async (stack, signal) => {
    const { client, clock, logger, identity } = options
    const decided = deferred<void>()
    const recorder = stack.use(createEventRecorder({ client, component: identity, clock, logger }))
    const over = campaign(new LeaseLock(options, recorder), options, make, decided, signal)
    stack.defer(() => over)
    await decided.promise
  })
}

/**
 * Until the signal aborts: waits to hold the Lease, and does the work for as long as it does. Ends too when the work cannot be started
 * the first time; later that is tried again.
 */
async function campaign(
  lock: LeaseLock,
  { clock, random, logger, lease }: ElectionOptions,
  make: () => Component,
  decided: Deferred<void>,
  signal: AbortSignal,
): Promise<void> {
  let undecided = true
  const decide = () => {
    undecided = false
    decided.resolve()
  }
  while (!signal.aborted) {
    const result = await lock.take(signal)
    if (result === 'held') {
      logger.info('became the leader', { lease: lease.name })
      try {
        await lead(lock, clock, make, decide, signal)
        logger.info('is no longer the leader', { lease: lease.name })
        continue
      } catch (error) {
        if (undecided) return decided.reject(error)
        logger.error('the leader’s work could not be started', { lease: lease.name, error })
      }
    } else if (result === 'other') decide()
    await sleep(clock, RETRY * (1 + random.float() * JITTER), signal).catch(() => undefined)
  }
  decided.reject(signal.reason)
}

/** Does the work until the Lease is lost or the signal aborts; rejects if the work could not be started. */
async function lead(lock: LeaseLock, clock: Clock, make: () => Component, onStarted: () => void, signal: AbortSignal): Promise<void> {
  const over = new AbortController()
  const holding = hold(lock, clock, AbortSignal.any([signal, over.signal])).finally(() =>
    over.abort(new DOMException('no longer the leader', 'AbortError')),
  )
  try {
    await using work = make()
    await work.start(over.signal)
    onStarted()
    await holding
  } catch (error) {
    if (!over.signal.aborted) throw error
  } finally {
    over.abort()
    await holding
    await lock.release()
  }
}

/** Renews the Lease; returns when it is lost, or the signal aborts. */
async function hold(lock: LeaseLock, clock: Clock, signal: AbortSignal): Promise<void> {
  let renewed = clock.monotonic()
  while (!signal.aborted) {
    await sleep(clock, RETRY, signal).catch(() => undefined)
    if (signal.aborted) return
    const begun = clock.monotonic()
    const result = await lock.take(signal, renewed + GIVES_UP)
    if (result === 'other') return
    if (result === 'held') renewed = begun
    else if (clock.monotonic() >= renewed + GIVES_UP) return
  }
}

class LeaseLock {
  readonly #options: ElectionOptions
  readonly #recorder: EventRecorder
  /** What was last seen, and when on the monotonic clock its spec was first seen so. */
  #seen: { readonly lease: Lease; readonly since: number } | null = null

  constructor(options: ElectionOptions, recorder: EventRecorder) {
    this.#options = options
    this.#recorder = recorder
  }

  /**
   * Takes or renews the Lease: whether it is held here now, by another, or could not be seen before `until` on the monotonic clock, or soon
   * after `stop` aborts.
   */
  async take(stop: AbortSignal, until = Number.POSITIVE_INFINITY): Promise<'held' | 'other' | 'unknown'> {
    const { clock, logger, lease } = this.#options
    using limit = deadline(clock, Math.max(0, Math.min(GIVES_UP, until - clock.monotonic())))
    const leaving = new AbortController()
    let farewell: Disposable | null = null
    const leave = () => void (farewell = clock.setTimeout(() => leaving.abort(new DOMException('stopped', 'AbortError')), FAREWELL))
    stop.addEventListener('abort', leave, { once: true })
    try {
      return await within(AbortSignal.any([limit.signal, leaving.signal]), (signal) => this.#take(signal))
    } catch (error) {
      logger.warn('the leader’s lease could not be read or written', { lease: lease.name, error })
      return 'unknown'
    } finally {
      stop.removeEventListener('abort', leave)
      ;(farewell as Disposable | null)?.[Symbol.dispose]()
    }
  }

  /** If it is held still, so that another need not wait. */
  async release(): Promise<void> {
    const { client, clock, logger } = this.#options
    const held = this.#seen?.lease
    if (held?.spec.holderIdentity !== this.#options.identity) return
    const { leaseTransitions = 0 } = held.spec
    const time = formatMicroTime(clock.now())
    const spec: LeaseSpec = { holderIdentity: '', leaseDurationSeconds: 1, acquireTime: time, renewTime: time, leaseTransitions }
    using limit = deadline(clock, FAREWELL)
    await within(limit.signal, (signal) => client.update(leaseKind, { ...held, spec }, { signal })).catch((error: unknown) => {
      logger.warn('the leader’s lease could not be given back', { error })
    })
  }

  async #take(signal: AbortSignal): Promise<'held' | 'other'> {
    const { client, lease: at, identity, clock } = this.#options
    const known = this.#seen?.lease
    // Whoever holds it need not look first.
    if (known?.spec.holderIdentity === identity) {
      try {
        return this.#holds(await client.update(leaseKind, { ...known, spec: this.#spec(known.spec) }, { signal }))
      } catch (error) {
        if (!hasReason(error, 'Conflict') && !hasReason(error, 'NotFound')) throw error
      }
    }
    const found = await client.get(leaseKind, at, { signal }).catch((error: unknown) => {
      if (hasReason(error, 'NotFound')) return null
      throw error
    })
    try {
      if (!found) return this.#holds(await client.create(leaseKind, { metadata: { ...at }, spec: this.#spec(null) }, { signal }))
      const since = this.#see(found)
      const { holderIdentity: holder = '', leaseDurationSeconds: seconds = HOLDS / 1000 } = found.spec
      if (holder !== '' && holder !== identity && clock.monotonic() < since + seconds * 1000) return 'other'
      return this.#holds(await client.update(leaseKind, { ...found, spec: this.#spec(found.spec) }, { signal }))
    } catch (error) {
      // Another was quicker.
      if (hasReason(error, 'Conflict') || hasReason(error, 'AlreadyExists')) return 'other'
      throw error
    }
  }

  #holds(lease: Lease): 'held' {
    const { identity } = this.#options
    const before = this.#seen?.lease.spec.holderIdentity
    this.#see(lease)
    if (before !== identity) this.#recorder.event(lease, 'Normal', 'LeaderElection', `${identity} became leader`)
    return 'held'
  }

  /** Returns since when its spec is as it is. */
  #see(lease: Lease): number {
    const before = this.#seen
    const same = before && JSON.stringify(before.lease.spec) === JSON.stringify(lease.spec)
    const since = same ? before.since : this.#options.clock.monotonic()
    this.#seen = { lease, since }
    return since
  }

  #spec(before: LeaseSpec | null): LeaseSpec {
    const { identity } = this.#options
    const time = formatMicroTime(this.#options.clock.now())
    const goesOn = before?.holderIdentity === identity
    const transitions = before?.leaseTransitions ?? 0
    return {
      ...before,
      holderIdentity: identity,
      leaseDurationSeconds: HOLDS / 1000,
      acquireTime: goesOn ? (before.acquireTime ?? time) : time,
      renewTime: time,
      leaseTransitions: goesOn || !before ? transitions : transitions + 1,
    }
  }
}

/** What `work` gives, or the signal's reason when that aborts first, whether or not the work heeds it. */
function within<T>(signal: AbortSignal, work: (signal: AbortSignal) => Promise<T>): Promise<T> {
  return Promise.race([work(signal), aborted(signal)])
}
