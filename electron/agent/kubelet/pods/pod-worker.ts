/**
 * Leads one pod through its life: kept running, then ended, then cleared away. Nothing runs twice at a time for a pod; whatever
 * happens meanwhile makes it look again. Source of the stages: kubernetes `kubelet/pod_workers.go`.
 */
import type { Clock } from '../../../base/clock.ts'
import { deferred, isAbort } from '../../../base/async.ts'
import { messageOf } from '../../../base/errors.ts'
import type { Logger } from '../../../base/logger.ts'
import type { Pod } from '../../../api/core/v1/types.gen.ts'
import { podText } from './names.ts'
import type { PodState } from './pod-state.ts'

/** What is done in each stage. All may be repeated after a failure. */
export interface PodStages {
  /** Tells the status as it is now. */
  tell(state: PodState): void
  /** Keeps it running. Returns after how many milliseconds to come again; `end` if the pod has done what it was for. */
  run(state: PodState, signal: AbortSignal): Promise<number | 'end'>
  /** Ends what runs. */
  end(state: PodState, signal: AbortSignal): Promise<void>
  /** Gives back what it held: volumes, groups; tells the API server its last status. */
  release(state: PodState, signal: AbortSignal): Promise<void>
  /** Removes its containers, logs and files. Only after the API has it no more. */
  clear(state: PodState, signal: AbortSignal): Promise<void>
}

export type PodStage = 'running' | 'ending' | 'releasing' | 'ended' | 'cleared'

const FIRST_RETRY = 500
const LONGEST_RETRY = 60_000

export interface PodWorkerDeps {
  readonly clock: Clock
  readonly logger: Logger
  readonly stages: PodStages
  readonly onCleared: () => void
}

export class PodWorker implements AsyncDisposable {
  readonly state: PodState
  readonly #deps: PodWorkerDeps
  #stage: PodStage = 'running'
  #abort = new AbortController()
  #timer: Disposable | null = null
  #running = false
  #again = false
  #failures = 0
  #stopped = false
  readonly #idle = deferred<void>()

  constructor(state: PodState, deps: PodWorkerDeps) {
    this.state = state
    this.#deps = deps
  }

  get stage(): PodStage {
    return this.#stage
  }

  /** Looks soon. */
  wake(): void {
    if (this.#stopped || this.#stage === 'cleared') return
    if (this.#running) this.#again = true
    else this.#arm(0)
  }

  /** The pod is wanted so now. */
  update(pod: Pod): void {
    const before = this.state.pod.metadata
    this.state.pod = pod
    const shorter = (pod.metadata.deletionGracePeriodSeconds ?? Infinity) < (before.deletionGracePeriodSeconds ?? Infinity)
    const begins = pod.metadata.deletionTimestamp !== undefined && before.deletionTimestamp === undefined
    if (begins || shorter) this.#interrupt()
    this.wake()
  }

  /** The node ends the pod. */
  fail(reason: string, message: string, grace?: number): void {
    if (this.state.failure || this.#stage !== 'running') return
    this.state.failure = { reason, message }
    this.state.failureGrace = grace
    this.#interrupt()
    this.wake()
  }

  /** The API has it no more. */
  remove(): void {
    if (this.state.removed) return
    this.state.removed = true
    if (this.#stage === 'running') this.#interrupt()
    this.wake()
  }

  /** Stops to look after the pod, and leaves it as it is. */
  async [Symbol.asyncDispose](): Promise<void> {
    this.#stopped = true
    this.#timer?.[Symbol.dispose]()
    this.#interrupt()
    if (this.#running) await this.#idle.promise
  }

  #interrupt(): void {
    this.#abort.abort(new DOMException('the pod is wanted otherwise now', 'AbortError'))
  }

  #arm(delay: number): void {
    this.#timer?.[Symbol.dispose]()
    this.#timer = this.#deps.clock.setTimeout(() => void this.#pass(), delay)
  }

  async #pass(): Promise<void> {
    if (this.#running) return
    this.#running = true
    this.#again = false
    let wait: number | null
    try {
      wait = await this.#step()
      this.#failures = 0
    } catch (error) {
      wait = this.#afterFailure(error)
    }
    this.#running = false
    if (this.#stopped) return this.#idle.resolve()
    if (this.#stage === 'cleared') return this.#deps.onCleared()
    if (this.#again) this.#arm(0)
    else if (wait !== null) this.#arm(wait)
  }

  #afterFailure(error: unknown): number {
    if (isAbort(error)) return 0
    this.#failures++
    const wait = Math.min(FIRST_RETRY * 2 ** (this.#failures - 1), LONGEST_RETRY)
    const { logger } = this.#deps
    logger.warn('a pod could not be brought to what it should be', {
      pod: podText(this.state.pod),
      stage: this.#stage,
      retryIn: wait,
      error: messageOf(error),
    })
    return wait
  }

  /** Returns after how many milliseconds to come again; null: when something happens. */
  async #step(): Promise<number | null> {
    const { stages } = this.#deps
    const { state } = this
    this.#abort = new AbortController()
    const { signal } = this.#abort
    if (this.#stopped) return null
    switch (this.#stage) {
      case 'running': {
        const next = state.mustEnd ? 'end' : await stages.run(state, signal)
        if (next !== 'end') return next
        this.#stage = 'ending'
        return 0
      }
      case 'ending':
        await stages.end(state, signal)
        this.#stage = 'releasing'
        return 0
      case 'releasing':
        await stages.release(state, signal)
        this.#stage = 'ended'
        return state.removed ? 0 : null
      case 'ended':
        if (!state.removed) return null
        await stages.clear(state, signal)
        this.#stage = 'cleared'
        return null
      case 'cleared':
        return null
    }
  }
}
