/**
 * When nodes were last heard of. What counts is the time at which this process saw a sign of life, on its own monotonic clock: never
 * what the node's clock says, and never what was stored before this process began.
 *
 * A node's silence says something about the node only while others are heard over the same kind of way. A desktop that has lost its
 * network hears none of the remote nodes, and of its sandboxes it may hear all: so what is heard of these proves nothing about the
 * network. Where all are silent together the fault is taken to be here, and when the first is heard again the others get their time
 * from then on.
 */
import type { Clock } from '../../base/clock.ts'
import type { Wakefulness } from '../node/wakefulness.ts'

/** Two renewals of a lease (every 10 s) that everybody missed. */
const COMMON_SILENCE = 20_000

/** What is heard of a group of nodes together. */
interface Pulse {
  last: number | null
  /** When a common silence ended. */
  resumed: number
}

interface Known {
  /** The signs that were seen last; one that differs is a new one. */
  lease: string | undefined
  status: string | undefined
  /** Null: not yet by this process. */
  heard: number | null
  readonly since: number
}

export interface Signs {
  /** `spec.renewTime` of its Lease. */
  readonly lease?: string | undefined
  /** `lastHeartbeatTime` of its condition Ready. */
  readonly status?: string | undefined
}

export class Heartbeats {
  readonly #clock: Clock
  readonly #wakefulness: Wakefulness
  readonly #isLocal: (node: string) => boolean
  readonly #known = new Map<string, Known>()
  readonly #remote: Pulse = { last: null, resumed: 0 }
  readonly #any: Pulse = { last: null, resumed: 0 }

  /** `isLocal`: whether the node is reached without a network. */
  constructor(options: { clock: Clock; wakefulness: Wakefulness; isLocal: (node: string) => boolean }) {
    this.#clock = options.clock
    this.#wakefulness = options.wakefulness
    this.#isLocal = options.isLocal
  }

  /** What was stored before: known, and not heard. */
  recall(node: string, { lease, status }: Signs): void {
    const known = this.#enter(node)
    known.lease = lease ?? known.lease
    known.status = status ?? known.status
  }

  /** Signs as they are now; those that were known already do not count. */
  note(node: string, { lease, status }: Signs): void {
    const known = this.#enter(node)
    const isNew = (lease !== undefined && lease !== known.lease) || (status !== undefined && status !== known.status)
    known.lease = lease ?? known.lease
    known.status = status ?? known.status
    if (!isNew) return
    const now = this.#clock.monotonic()
    known.heard = now
    beat(this.#any, now)
    if (!this.#isLocal(node)) beat(this.#remote, now)
  }

  forget(node: string): void {
    this.#known.delete(node)
  }

  /** Whether it gave a sign of life since this process is awake. */
  isHeard(node: string): boolean {
    const heard = this.#known.get(node)?.heard ?? null
    return heard !== null && heard >= this.#wakefulness.check()
  }

  /** So many milliseconds nothing was heard of it while this process was listening. */
  silence(node: string): number {
    return this.#clock.monotonic() - this.#lastSign(node)
  }

  /** The same as far as it can be the node's own doing; null if there is nothing to tell its silence from one of this machine. */
  ownSilence(node: string): number | null {
    const pulse = this.#isLocal(node) ? this.#any : this.#remote
    const now = this.#clock.monotonic()
    const { last, resumed } = pulse
    if (last === null || last < this.#wakefulness.check() || now - last > COMMON_SILENCE) return null
    return now - Math.max(this.#lastSign(node), resumed)
  }

  #lastSign(node: string): number {
    const { heard, since } = this.#enter(node)
    return Math.max(heard ?? since, this.#wakefulness.check())
  }

  #enter(node: string): Known {
    let known = this.#known.get(node)
    if (!known) this.#known.set(node, (known = { lease: undefined, status: undefined, heard: null, since: this.#clock.monotonic() }))
    return known
  }
}

function beat(pulse: Pulse, now: number): void {
  if (pulse.last === null || now - pulse.last > COMMON_SILENCE) pulse.resumed = now
  pulse.last = now
}
