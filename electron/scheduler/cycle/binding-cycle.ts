/** From a reservation to a bound pod, beside the scheduling of others. Source: kubernetes `scheduler/schedule_one.go`, `bindingCycle`. */
import { isAbort } from '../../base/async.ts'
import { sleep } from '../../base/clock.ts'
import { StatusError } from '../../machinery/status.ts'
import { errorStatus, type Result } from '../framework/status.ts'
import type { PodInfo } from '../snapshot/pod-info.ts'
import type { SchedulerCore } from './core.ts'
import { giveUp, type Reservation } from './scheduling-cycle.ts'

/** Between questions to a server that does not answer, in milliseconds. */
const FIRST_DELAY = 1000
const LONGEST_DELAY = 10_000

export class BindingCycles {
  readonly #core: SchedulerCore
  readonly #running = new Set<Promise<void>>()

  constructor(core: SchedulerCore) {
    this.#core = core
  }

  /** Returns at once. */
  begin(reservation: Reservation): void {
    const run = this.#run(reservation).finally(() => this.#running.delete(run))
    this.#running.add(run)
  }

  /** Resolves when none is under way. */
  async ended(): Promise<void> {
    await Promise.all(this.#running)
  }

  async #run(reservation: Reservation): Promise<void> {
    const { waiting, queue } = this.#core
    const { uid } = reservation.queued.info
    const refusal = await waiting.wait(uid, reservation.waits)
    if (refusal) return this.#fail(reservation, refusal)
    // From here on only faults can stop it, which need not know what happened meanwhile.
    queue.done(uid)
    let status: Result
    try {
      status = (await this.#prepare(reservation)) ?? (await this.#bind(reservation))
    } catch (error) {
      status = errorStatus('', error)
    }
    if (status) return this.#fail(reservation, status)
    this.#succeed(reservation)
  }

  async #prepare({ runtime, queued, attempt, node }: Reservation): Promise<Result> {
    const { statuses, signal } = this.#core
    // A refusal that is still being written would otherwise be told after the binding.
    await statuses.stop(queued.info.uid)
    return runtime.framework.preBind(attempt, queued.info, node, signal)
  }

  /** Only this counts as a call under way: pods that wait for leave or volumes do not. */
  #bind({ runtime, queued, attempt, node }: Reservation): Promise<Result> {
    return this.#core.calls.run(async () => {
      const status = await runtime.framework.bind(attempt, queued.info, node, this.#core.signal)
      return status && leavesDoubt(status.error) && (await this.#isBound(queued.info, node)) ? null : status
    })
  }

  /**
   * An answer may be lost where the binding was made: the place counts until the server has said what became of it, because it would
   * be given away twice otherwise. Asks until there is an answer; throws only when the scheduler is stopped.
   */
  async #isBound({ namespace, pod, uid }: PodInfo, node: string): Promise<boolean> {
    const { clock, signal, fetchPod } = this.#core
    for (let delay = FIRST_DELAY; ; delay = Math.min(delay * 2, LONGEST_DELAY)) {
      try {
        const there = await fetchPod(namespace, pod.metadata.name)
        return there?.metadata.uid === uid && there.spec.nodeName === node
      } catch (error) {
        if (!leavesDoubt(error)) throw error
        await sleep(clock, delay, signal)
      }
    }
  }

  #succeed({ runtime, queued, attempt, node }: Reservation): void {
    const { cache, ledger } = this.#core
    const { pod, key, uid } = queued.info
    cache.finishBinding(uid)
    ledger.forget(uid)
    runtime.events.event(pod, 'Normal', 'Scheduled', `Successfully assigned ${key} to ${node}`)
    runtime.framework.postBind(attempt, queued.info, node)
  }

  #fail(reservation: Reservation, status: NonNullable<Result>): void {
    if (this.#core.signal.aborted) return
    giveUp(this.#core, reservation, status)
  }
}

/** Whether a call that failed so may have been carried out. */
function leavesDoubt(error: unknown): boolean {
  if (error === undefined || isAbort(error)) return false
  return !(error instanceof StatusError) || error.code >= 500
}
