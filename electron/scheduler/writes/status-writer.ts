import type { Pod } from '../../api/core/v1/types.gen.ts'
import { isAbort } from '../../base/async.ts'
import { sleep, type Clock } from '../../base/clock.ts'
import type { Logger } from '../../base/logger.ts'
import type { Client } from '../../client/client.ts'
import { hasReason } from '../../machinery/status.ts'
import { patchPodStatus, type StatusChange } from './pod-status.ts'

export interface StatusWriterDeps {
  readonly client: Client
  readonly clock: Clock
  readonly logger: Logger
  readonly signal: AbortSignal
}

interface Write {
  readonly pod: Pod
  readonly change: StatusChange
}

/** What is to be written of one pod. */
class Entry {
  waiting: Write | null = null
  /** Ends the wait for another try. */
  readonly hurry = new AbortController()
  done: Promise<void> = Promise.resolve()
}

/** Between tries, in milliseconds; doubled with each. */
const FIRST_DELAY = 1000
const LONGEST_DELAY = 30_000
const TRIES = 10

/** Writes into pods' status beside everything else; of one pod in order, and of changes that wait only the sum. */
export class StatusWriter {
  readonly #deps: StatusWriterDeps
  readonly #entries = new Map<string, Entry>()

  constructor(deps: StatusWriterDeps) {
    this.#deps = deps
  }

  /** `pod` as it is known now. Returns at once. What a server that is away does not take is tried again for some minutes. */
  write(pod: Pod, change: StatusChange): void {
    const { uid } = pod.metadata
    const known = this.#entries.get(uid)
    const entry = known ?? new Entry()
    entry.waiting = { pod, change: { ...entry.waiting?.change, ...change } }
    if (known) return
    this.#entries.set(uid, entry)
    entry.done = this.#run(entry).finally(() => this.#entries.delete(uid))
  }

  /** Drops what was not written yet, because something newer is about to be said. Resolves when nothing of this pod is on its way. */
  async stop(uid: string): Promise<void> {
    const entry = this.#entries.get(uid)
    if (!entry) return
    entry.waiting = null
    entry.hurry.abort()
    await entry.done
  }

  /** Resolves when nothing is being written. */
  async ended(): Promise<void> {
    await Promise.all([...this.#entries.values()].map(({ done }) => done))
  }

  async #run(entry: Entry): Promise<void> {
    const { client, clock, signal } = this.#deps
    const patience = AbortSignal.any([signal, entry.hurry.signal])
    let written: Pod | null = null
    for (let tries = 0; entry.waiting;) {
      const { pod, change }: Write = entry.waiting
      entry.waiting = null
      try {
        // What was written last may be newer than what informers had when the next change was asked for.
        written = (await patchPodStatus(client, written ?? pod, change, clock, signal)) ?? written
        tries = 0
      } catch (error) {
        if (!this.#isWorthAnotherTry(error, pod, tries++)) continue
        await sleep(clock, Math.min(FIRST_DELAY * 2 ** (tries - 1), LONGEST_DELAY), patience).catch(() => undefined)
        if (patience.aborted) return
        const newer = entry.waiting as Write | null
        entry.waiting = { pod: newer?.pod ?? pod, change: { ...change, ...newer?.change } }
      }
    }
  }

  #isWorthAnotherTry(error: unknown, pod: Pod, tries: number): boolean {
    if (isAbort(error) || hasReason(error, 'NotFound', 'Conflict')) return false
    const isAway = hasReason(error, 'ServiceUnavailable', 'ServerTimeout', 'Timeout', 'TooManyRequests', 'InternalError')
    if (isAway && tries < TRIES) return true
    this.#deps.logger.warn("a pod's status was not written", { pod: pod.metadata.name, namespace: pod.metadata.namespace, error })
    return false
  }
}
