import type { Pod } from '../../api/core/v1/types.gen.ts'
import { isAbort } from '../../base/async.ts'
import type { Clock } from '../../base/clock.ts'
import type { Logger } from '../../base/logger.ts'
import type { Client } from '../../client/client.ts'
import { hasReason } from '../../machinery/status.ts'
import { patchPodStatus, type StatusChange } from './pod-status.ts'

interface Write {
  readonly pod: Pod
  readonly change: StatusChange
}

export interface StatusWriterDeps {
  readonly client: Client
  readonly clock: Clock
  readonly logger: Logger
  readonly signal: AbortSignal
}

/** Writes into pods' status beside everything else; of one pod in order, and of changes that wait only the sum. */
export class StatusWriter {
  readonly #deps: StatusWriterDeps
  readonly #running = new Map<string, Promise<void>>()
  readonly #waiting = new Map<string, Write>()

  constructor(deps: StatusWriterDeps) {
    this.#deps = deps
  }

  /** `pod` as it is known now. Returns at once; what cannot be written is logged, because the next attempt says it again. */
  write(pod: Pod, change: StatusChange): void {
    const { uid } = pod.metadata
    const waiting = this.#waiting.get(uid)
    this.#waiting.set(uid, { pod, change: { ...waiting?.change, ...change } })
    if (this.#running.has(uid)) return
    this.#running.set(
      uid,
      this.#run(uid).finally(() => this.#running.delete(uid)),
    )
  }

  /** Resolves when nothing of this pod is being written. */
  async settled(uid: string): Promise<void> {
    await this.#running.get(uid)
  }

  /** Resolves when nothing is being written. */
  async ended(): Promise<void> {
    await Promise.all(this.#running.values())
  }

  async #run(uid: string): Promise<void> {
    const { client, clock, signal, logger } = this.#deps
    let written: Pod | null = null
    for (;;) {
      const next = this.#waiting.get(uid)
      if (!next) return
      this.#waiting.delete(uid)
      // What was written last may be newer than what informers had when the next change was asked for.
      const pod: Pod = written ?? next.pod
      try {
        written = (await patchPodStatus(client, pod, next.change, clock, signal)) ?? written
      } catch (error) {
        if (isAbort(error) || hasReason(error, 'NotFound', 'Conflict')) continue
        logger.warn("a pod's status was not written", { pod: pod.metadata.name, namespace: pod.metadata.namespace, error })
      }
    }
  }
}
