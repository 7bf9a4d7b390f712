/** One probe of one container: when to look, and what the looks come to. Source: kubernetes `kubelet/prober/worker.go`. */
import type { Clock } from '../../../base/clock.ts'
import type { Probe } from '../../../api/core/v1/types.gen.ts'
import type { ProbeAnswer, ProbeKind, ProbeRunner, ProbeTarget } from './probe.ts'

export type ProbeResult = 'success' | 'failure' | 'unknown'

/** What the worker asks before each look. */
export interface ProbeSubject extends ProbeTarget {
  readonly running: boolean
  /** Milliseconds since the epoch. */
  readonly startedAt: number
  /** Whether the startup probe, if there is one, has succeeded. */
  readonly started: boolean
  /** Whether the pod is to end. */
  readonly terminating: boolean
}

export interface ProbeWorkerDeps {
  readonly clock: Clock
  readonly run: ProbeRunner
  /** The container as it is now; null while there is none. */
  readonly subject: () => ProbeSubject | null
  readonly onResult: (containerId: string, result: ProbeResult) => void
  /** A container that there is a newer one of. */
  readonly onReplaced: (containerId: string) => void
  readonly onAnswer: (answer: ProbeAnswer, target: ProbeTarget) => void
}

const INITIAL: Record<ProbeKind, ProbeResult> = { liveness: 'success', readiness: 'failure', startup: 'unknown' }
/** Looks that fail by themselves are repeated at once so often. */
const TRIES = 3

export class ProbeWorker implements Disposable {
  readonly #kind: ProbeKind
  readonly #probe: Probe
  readonly #deps: ProbeWorkerDeps
  readonly #abort = new AbortController()
  #timer: Disposable | null = null
  #containerId: string | null = null
  /** A verdict was given: the container will be another one before there is a new one. */
  #onHold = false
  #last: ProbeResult | null = null
  #run = 0
  #looking = false
  #hasVerdict = false

  constructor(kind: ProbeKind, probe: Probe, deps: ProbeWorkerDeps) {
    this.#kind = kind
    this.#probe = probe
    this.#deps = deps
  }

  /** The first look comes after `delay` milliseconds, later ones each period. */
  start(delay: number): void {
    this.#arm(delay)
  }

  /** Takes over a verdict from before the agent was restarted. Looks that have not come to one yet go on. */
  adopt(containerId: string, result: ProbeResult): void {
    if (this.#containerId !== containerId) this.#turnTo(containerId)
    this.#onHold = this.#kind === 'startup' && result === 'success'
    this.#deps.onResult(containerId, result)
  }

  /** Whether its own looks have come to a verdict on the container. What it assumes before the first is none. */
  get hasVerdict(): boolean {
    return this.#hasVerdict
  }

  /** Looks now: somebody waits. */
  trigger(): void {
    if (!this.#looking && !this.#abort.signal.aborted) this.#arm(0)
  }

  [Symbol.dispose](): void {
    this.#abort.abort(new DOMException('the probe was given up', 'AbortError'))
    this.#timer?.[Symbol.dispose]()
  }

  #arm(delay: number): void {
    if (this.#abort.signal.aborted) return
    this.#timer?.[Symbol.dispose]()
    this.#timer = this.#deps.clock.setTimeout(() => void this.#tick(), delay)
  }

  async #tick(): Promise<void> {
    const period = (this.#probe.periodSeconds ?? 10) * 1000
    const began = this.#deps.clock.monotonic()
    this.#looking = true
    try {
      await this.#look()
    } finally {
      this.#looking = false
      this.#arm(Math.max(0, period - (this.#deps.clock.monotonic() - began)))
    }
  }

  async #look(): Promise<void> {
    const subject = this.#deps.subject()
    if (!subject) return
    const { containerId } = subject
    if (this.#containerId !== containerId) {
      this.#turnTo(containerId)
      this.#deps.onResult(containerId, INITIAL[this.#kind])
    }
    if (this.#onHold) return
    if (!subject.running) return this.#deps.onResult(containerId, 'failure')
    if (subject.terminating && this.#kind !== 'readiness') return this.#deps.onResult(containerId, 'success')
    const age = this.#deps.clock.now() - subject.startedAt
    if (age < (this.#probe.initialDelaySeconds ?? 0) * 1000) return
    if (subject.started === (this.#kind === 'startup')) return
    const answer = await this.#ask(subject)
    if (this.#abort.signal.aborted || this.#containerId !== containerId || this.#onHold) return
    this.#deps.onAnswer(answer, subject)
    if (answer.outcome !== 'unknown') this.#count(containerId, answer.outcome === 'failure' ? 'failure' : 'success')
  }

  #turnTo(containerId: string): void {
    if (this.#containerId !== null) this.#deps.onReplaced(this.#containerId)
    this.#containerId = containerId
    this.#onHold = false
    this.#last = null
    this.#run = 0
    this.#hasVerdict = false
  }

  async #ask(subject: ProbeSubject): Promise<ProbeAnswer> {
    for (let left = TRIES; ; left--) {
      const answer = await this.#deps.run(this.#probe, subject, this.#abort.signal)
      if (answer.outcome !== 'unknown' || left <= 1 || this.#abort.signal.aborted) return answer
    }
  }

  #count(containerId: string, result: ProbeResult): void {
    this.#run = this.#last === result ? this.#run + 1 : 1
    this.#last = result
    const threshold = result === 'failure' ? (this.#probe.failureThreshold ?? 3) : (this.#probe.successThreshold ?? 1)
    if (this.#run < threshold) return
    this.#hasVerdict = true
    this.#deps.onResult(containerId, result)
    if (this.#kind === 'startup' || (this.#kind === 'liveness' && result === 'failure')) {
      this.#onHold = true
      this.#run = 0
    }
  }
}
