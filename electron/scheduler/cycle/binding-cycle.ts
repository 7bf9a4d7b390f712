/** From a reservation to a bound pod, beside the scheduling of others. Source: kubernetes `scheduler/schedule_one.go`, `bindingCycle`. */
import { deferred, type Deferred } from '../../base/async.ts'
import { errorStatus, type Result } from '../framework/status.ts'
import type { SchedulerCore } from './core.ts'
import { giveUp, type Reservation } from './scheduling-cycle.ts'

/** So many bindings at most are under way, so that a slow server is not buried under them. Pods that wait for leave do not count. */
const LIMIT = 256

export class BindingCycles {
  readonly #core: SchedulerCore
  readonly #running = new Set<Promise<void>>()
  #binding = 0
  #room: Deferred<void> | null = null

  constructor(core: SchedulerCore) {
    this.#core = core
  }

  /** Returns at once. */
  begin(reservation: Reservation): void {
    const run = this.#run(reservation).finally(() => this.#running.delete(run))
    this.#running.add(run)
  }

  /** Resolves when another binding may begin. */
  async room(): Promise<void> {
    while (this.#binding >= LIMIT) {
      this.#room ??= deferred()
      await this.#room.promise
    }
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
    this.#binding++
    let status: Result
    try {
      status = await this.#bind(reservation)
    } catch (error) {
      status = errorStatus('', error)
    } finally {
      this.#binding--
      this.#room?.resolve()
      this.#room = null
    }
    if (status) return this.#fail(reservation, status)
    this.#succeed(reservation)
  }

  async #bind({ runtime, queued, attempt, node }: Reservation): Promise<Result> {
    const { statuses, signal } = this.#core
    const { framework } = runtime
    // A refusal that is still being written would otherwise be told after the binding.
    await statuses.settled(queued.info.uid)
    const refusal = await framework.preBind(attempt, queued.info, node, signal)
    return refusal ?? (await framework.bind(attempt, queued.info, node, signal))
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
