/** Makes sure that a container's image is there. Source: kubernetes `kubelet/images`. */
import type { Clock } from '../../../base/clock.ts'
import { aborted, deferred } from '../../../base/async.ts'
import type { ObjectReference, Pod, Secret } from '../../../api/core/v1/types.gen.ts'
import { formatDuration } from '../../../api/values/duration.ts'
import { goQuote } from '../../../api/values/field-error.ts'
import { parseImageName } from '../../../api/values/image-name.ts'
import type { Cri, SandboxConfig } from '../../runtime/cri.ts'
import type { ImageInfo, RegistryAuth } from '../../runtime/cri-types.ts'
import { detailOf } from '../../runtime/runtime-error.ts'
import { Backoff } from '../backoff.ts'
import type { EventSink } from '../events.ts'
import { credentialsFor } from './credentials.ts'

export type ImageReason = 'InvalidImageName' | 'ImageInspectError' | 'ErrImagePull' | 'ImagePullBackOff' | 'ErrImageNeverPull'

/** Why a container waits for its image; `reason` and message are those of its status. */
export class ImageError extends Error {
  override readonly name = 'ImageError'
  readonly reason: ImageReason
  /** When to try again, in milliseconds; absent: whenever somebody asks. */
  readonly retryIn: number | undefined

  constructor(reason: ImageReason, message: string, retryIn?: number) {
    super(message)
    this.reason = reason
    this.retryIn = retryIn
  }
}

export interface ImageWish {
  readonly pod: Pod
  readonly image: string
  readonly policy: 'Always' | 'IfNotPresent' | 'Never'
  /** What events are about. */
  readonly about: ObjectReference
  readonly secrets: readonly Secret[]
  readonly sandbox: SandboxConfig | null
}

export interface ImagePullerDeps {
  readonly cri: Cri
  readonly clock: Clock
  readonly events: EventSink
  /** Told of each image that is about to be used. */
  readonly onUse: (imageId: string) => void
}

const BACKOFF = { initial: 10_000, max: 300_000 }
/** Milliseconds until a container whose image could not be pulled is said to wait. */
const UNTIL_BACKOFF = 1000
/** Images that are pulled at a time. */
const PARALLEL = 3

interface Pull {
  readonly result: Promise<void>
  readonly abort: AbortController
  waiters: number
}

export class ImagePuller {
  readonly #deps: ImagePullerDeps
  readonly #backoff: Backoff
  readonly #lastError = new Map<string, { message: string; at: number }>()
  readonly #pulls = new Map<string, Pull>()
  readonly #queue: (() => void)[] = []
  #running = 0

  constructor(deps: ImagePullerDeps) {
    this.#deps = deps
    this.#backoff = new Backoff(deps.clock, BACKOFF)
  }

  /** Throws ImageError. An aborted wish leaves a pull running that another pod waits for. */
  async ensure(wish: ImageWish, signal: AbortSignal): Promise<ImageInfo> {
    const image = await this.#ensure(wish, signal)
    this.#deps.onUse(image.id)
    return image
  }

  /** After the pod is gone. */
  forget(uid: string): void {
    this.#backoff.forgetAll(`${uid}_`)
    for (const key of this.#lastError.keys()) if (key.startsWith(`${uid}_`)) this.#lastError.delete(key)
  }

  async #ensure(wish: ImageWish, signal: AbortSignal): Promise<ImageInfo> {
    const { events } = this.#deps
    const { image, policy, about } = wish
    const full = withTag(image)
    if (full === null) {
      const why = `Failed to apply default image tag ${goQuote(image)}: couldn't parse image name ${goQuote(image)}: invalid reference format`
      events.event(about, 'Warning', 'InspectFailed', why)
      throw new ImageError('InvalidImageName', why)
    }
    const present = await this.#inspect(full, wish)
    if (present && policy !== 'Always') {
      events.event(about, 'Normal', 'Pulled', `Container image ${goQuote(image)} already present on machine and can be accessed by the pod`)
      return present
    }
    if (policy === 'Never') {
      const why = `Container image ${goQuote(image)} is not present with pull policy of Never`
      events.event(about, 'Warning', 'ErrImageNeverPull', why)
      throw new ImageError('ErrImageNeverPull', why)
    }
    return this.#pullUnlessBackingOff(full, wish, signal)
  }

  async #inspect(full: string, { image, about }: ImageWish): Promise<ImageInfo | null> {
    try {
      return await this.#deps.cri.imageStatus(full)
    } catch (error) {
      const why = `Failed to inspect image ${goQuote(image)}: ${detailOf(error)}`
      this.#deps.events.event(about, 'Warning', 'InspectFailed', why)
      throw new ImageError('ImageInspectError', why)
    }
  }

  async #pullUnlessBackingOff(full: string, wish: ImageWish, signal: AbortSignal): Promise<ImageInfo> {
    const { clock, events, cri } = this.#deps
    const { image, pod, about } = wish
    const key = `${pod.metadata.uid}_${full}`
    const last = this.#lastError.get(key)
    const wait = last ? this.#backoff.remaining(key, last.at) : 0
    if (last && wait > 0) {
      const why = `Back-off pulling image ${goQuote(image)}`
      events.event(about, 'Normal', 'BackOff', why)
      throw new ImageError('ImagePullBackOff', `${why}: ErrImagePull: ${last.message}`, wait)
    }
    events.event(about, 'Normal', 'Pulling', `Pulling image ${goQuote(image)}`)
    const asked = clock.monotonic()
    try {
      const took = await this.#pull(full, wish, signal)
      const info = await cri.imageStatus(full)
      if (!info) throw new Error('the image is not there after it was pulled')
      const waited = clock.monotonic() - asked
      const times = `in ${seconds(took)} (${seconds(waited)} including waiting)`
      events.event(about, 'Normal', 'Pulled', `Successfully pulled image ${goQuote(image)} ${times}. Image size: ${info.size} bytes.`)
      this.#backoff.forget(key)
      this.#lastError.delete(key)
      return info
    } catch (error) {
      signal.throwIfAborted()
      const message = detailOf(error)
      events.event(about, 'Warning', 'Failed', `Failed to pull image ${goQuote(image)}: ${message}`)
      const at = clock.now()
      this.#backoff.next(key, at)
      this.#lastError.set(key, { message, at })
      throw new ImageError('ErrImagePull', message, UNTIL_BACKOFF)
    }
  }

  /** Pulls once for all who wait for the image with the same credentials; returns how long it took, without waiting for its turn. */
  async #pull(full: string, wish: ImageWish, signal: AbortSignal): Promise<number> {
    const credentials = credentialsFor(full, wish.secrets)
    const key = JSON.stringify([full, credentials])
    let pull = this.#pulls.get(key)
    const began = { at: this.#deps.clock.monotonic() }
    if (!pull) {
      const abort = new AbortController()
      const result = this.#inTurn(async () => {
        began.at = this.#deps.clock.monotonic()
        await this.#tryEach(full, credentials, wish.sandbox, abort.signal)
      }, abort.signal).finally(() => this.#pulls.delete(key))
      result.catch(() => undefined)
      pull = { result, abort, waiters: 0 }
      this.#pulls.set(key, pull)
    }
    pull.waiters++
    try {
      await Promise.race([pull.result, aborted(signal)])
    } finally {
      pull.waiters--
      if (pull.waiters === 0) pull.abort.abort(new DOMException('nobody waits for the image any more', 'AbortError'))
    }
    return this.#deps.clock.monotonic() - began.at
  }

  async #tryEach(image: string, credentials: readonly RegistryAuth[], sandbox: SandboxConfig | null, signal: AbortSignal): Promise<void> {
    let failure: { error: unknown } | null = null
    for (const auth of credentials.length ? credentials : [null]) {
      try {
        return void (await this.#deps.cri.pullImage(image, auth, sandbox, signal))
      } catch (error) {
        signal.throwIfAborted()
        failure = { error }
      }
    }
    throw failure?.error
  }

  async #inTurn(task: () => Promise<void>, signal: AbortSignal): Promise<void> {
    if (this.#running >= PARALLEL) {
      const turn = deferred<void>()
      this.#queue.push(() => turn.resolve())
      await turn.promise
    }
    this.#running++
    try {
      signal.throwIfAborted()
      await task()
    } finally {
      this.#running--
      this.#queue.shift()?.()
    }
  }
}

/** As the runtime must be asked; null for what is no name of an image. */
export function withTag(image: string): string | null {
  const name = parseImageName(image)
  if (!name) return null
  return image.includes('@') || image.slice(image.lastIndexOf('/') + 1).includes(':') ? image : `${image}:latest`
}

function seconds(ms: number): string {
  return formatDuration(Math.round(ms))
}
