/** Tells the API server the status of this node's pods, and removes pods there that have ended here. */
import { sleep } from '../../../base/clock.ts'
import type { Clock } from '../../../base/clock.ts'
import { messageOf } from '../../../base/errors.ts'
import type { Logger } from '../../../base/logger.ts'
import type { Pod, PodStatus } from '../../../api/core/v1/types.gen.ts'
import { pod as podKind } from '../../../api/core/v1/pod.ts'
import type { Client } from '../../../client/client.ts'
import { hasReason } from '../../../machinery/status.ts'
import { isEnd } from './pod-status.ts'
import { statusPatch } from './status-patch.ts'

export interface StatusManagerDeps {
  readonly client: Pick<Client, 'get' | 'patch' | 'delete'>
  readonly clock: Clock
  readonly logger: Logger
}

interface Entry {
  pod: Pod
  wanted: PodStatus
  /** Everything of the pod has ended and was given back: the API may drop it. */
  released: boolean
  sending: Promise<void> | null
  dirty: boolean
}

const FIRST_RETRY = 500
const LONGEST_RETRY = 10_000

export class StatusManager implements AsyncDisposable {
  readonly #deps: StatusManagerDeps
  readonly #entries = new Map<string, Entry>()
  /** Uids of pods that the API server has shown us: what is on disk may be older than what it has. */
  readonly #seen = new Set<string>()
  readonly #stop = new AbortController()

  constructor(deps: StatusManagerDeps) {
    this.#deps = deps
  }

  /** What was set last; undefined for a pod of which nothing was told. */
  get(uid: string): PodStatus | undefined {
    return this.#entries.get(uid)?.wanted
  }

  set(pod: Pod, wanted: PodStatus): void {
    const entry = this.#entry(pod, wanted)
    // What has ended does not come back to life.
    if (isEnd(entry.wanted.phase) && !isEnd(wanted.phase)) return
    entry.wanted = wanted
    this.#send(entry)
  }

  /** The pod as the API has it now. Sends again what is missing there. */
  observe(pod: Pod): void {
    this.#seen.add(pod.metadata.uid)
    const entry = this.#entries.get(pod.metadata.uid)
    if (!entry || isOlder(pod, entry.pod)) return
    entry.pod = pod
    if (entry.dirty || statusPatch(pod.status, entry.wanted) || this.#deletable(entry)) this.#send(entry)
  }

  /** From now on the pod may be removed from the API when it is to be deleted. */
  release(pod: Pod, wanted: PodStatus): void {
    const entry = this.#entry(pod, wanted)
    entry.wanted = wanted
    entry.released = true
    this.#send(entry)
  }

  forget(uid: string): void {
    this.#entries.delete(uid)
    this.#seen.delete(uid)
  }

  /** Waits until all that was set is sent, or the signal aborts. */
  async flush(signal: AbortSignal): Promise<void> {
    const over = new Promise<void>((resolve) => signal.addEventListener('abort', () => resolve(), { once: true }))
    await Promise.race([this.#allSent(), over])
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#stop.abort(new DOMException('stopped', 'AbortError'))
    await this.#allSent()
  }

  async #allSent(): Promise<void> {
    for (const { sending } of this.#entries.values()) await sending
  }

  #entry(pod: Pod, wanted: PodStatus): Entry {
    const { uid } = pod.metadata
    let entry = this.#entries.get(uid)
    if (!entry) this.#entries.set(uid, (entry = { pod, wanted, released: false, sending: null, dirty: false }))
    // The informer may have seen a newer one already.
    if (!isOlder(pod, entry.pod)) entry.pod = pod
    return entry
  }

  #deletable({ pod, released }: Entry): boolean {
    return released && pod.metadata.deletionTimestamp !== undefined
  }

  #send(entry: Entry): void {
    entry.dirty = true
    if (!this.#seen.has(entry.pod.metadata.uid)) return
    entry.sending ??= this.#sendAll(entry).finally(() => {
      entry.sending = null
    })
  }

  async #sendAll(entry: Entry): Promise<void> {
    const { clock, logger } = this.#deps
    const { signal } = this.#stop
    for (let failures = 0; entry.dirty && !signal.aborted && this.#entries.get(entry.pod.metadata.uid) === entry;) {
      entry.dirty = false
      try {
        await this.#sendOnce(entry)
        failures = 0
      } catch (error) {
        if (signal.aborted) return
        if (isGone(error)) return
        failures++
        entry.dirty = true
        const { name, namespace } = entry.pod.metadata
        logger[failures === 1 ? 'info' : 'debug']('a pod status could not be sent', {
          pod: `${namespace}/${name}`,
          error: messageOf(error),
        })
        await sleep(clock, Math.min(FIRST_RETRY * 2 ** (failures - 1), LONGEST_RETRY), signal).catch(() => undefined)
      }
    }
  }

  async #sendOnce(entry: Entry): Promise<void> {
    const { client } = this.#deps
    const { signal } = this.#stop
    const { name, namespace, uid } = entry.pod.metadata
    const at = { name, namespace }
    const body = statusPatch(entry.pod.status, entry.wanted)
    if (body) {
      const patch = { type: 'strategic', body: { metadata: { uid }, status: body } } as const
      const updated = await client.patch(podKind, at, patch, { subresource: 'status', signal })
      if (!isOlder(updated, entry.pod)) entry.pod = updated
    }
    if (this.#deletable(entry)) await client.delete(podKind, at, { gracePeriodSeconds: 0, preconditions: { uid }, signal })
  }
}

/** Resource versions are ordered (KEP-5504). */
function isOlder(a: Pod, b: Pod): boolean {
  return Number(a.metadata.resourceVersion) < Number(b.metadata.resourceVersion)
}

/** Another pod has the name, or none. */
function isGone(error: unknown): boolean {
  return hasReason(error, 'NotFound', 'Conflict', 'Invalid')
}
