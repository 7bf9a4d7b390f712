/**
 * One `kube.live` stream as a list that Vue can watch. Changes are gathered and shown once a frame; when the connection breaks the
 * last known list stays, marked stale, and the stream is opened anew as soon as there is a connection.
 */
import { shallowRef, type ShallowRef } from 'vue'
import type { KubeObject } from '../../../electron/api/meta/v1/object.ts'
import type { Face } from '../face/face.ts'
import { failureOf, isLost, type Failure } from '../face/failure.ts'
import { after, nextFrame, wallClock } from '../time/clock.ts'
import { t } from '../i18n/index.ts'
import type { Resource } from './resources.ts'

export interface LiveSelection {
  readonly namespace?: string | undefined
  readonly labelSelector?: string | undefined
  readonly fieldSelector?: string | undefined
}

export type LiveState =
  | { readonly phase: 'loading' }
  | { readonly phase: 'live' }
  /** `since` in milliseconds since the epoch. */
  | { readonly phase: 'stale'; readonly since: number; readonly why: string }
  | { readonly phase: 'failed'; readonly failure: Failure }

export interface LiveList<T extends KubeObject = KubeObject> {
  /** A new array with each change; the objects in it are never changed. */
  readonly items: Readonly<ShallowRef<readonly T[]>>
  readonly state: Readonly<ShallowRef<LiveState>>
  /** Milliseconds since the epoch of the last change that came. */
  readonly changedAt: Readonly<ShallowRef<number>>
  byUid(uid: string): T | undefined
}

/** How long to wait before a stream that failed for another reason than the connection is tried again, in milliseconds. */
const RETRY_MS = 5000

export type Schedule = (fn: () => void) => Disposable

export class LiveQuery implements LiveList, Disposable {
  readonly items = shallowRef<readonly KubeObject[]>([])
  readonly state = shallowRef<LiveState>({ phase: 'loading' })
  readonly changedAt = shallowRef(0)
  readonly #face: Face
  readonly #resource: Resource
  readonly #selection: LiveSelection
  readonly #schedule: Schedule
  readonly #reopen: Disposable
  #objects = new Map<string, KubeObject>()
  #abort = new AbortController()
  #frame: Disposable | null = null
  #retry: Disposable | null = null
  #running = false

  constructor(face: Face, resource: Resource, selection: LiveSelection, schedule: Schedule = nextFrame) {
    this.#face = face
    this.#resource = resource
    this.#selection = selection
    this.#schedule = schedule
    this.#reopen = face.whenOpen(() => this.#start())
  }

  byUid(uid: string): KubeObject | undefined {
    return this.#objects.get(uid)
  }

  [Symbol.dispose](): void {
    this.#reopen[Symbol.dispose]()
    this.#frame?.[Symbol.dispose]()
    this.#retry?.[Symbol.dispose]()
    this.#abort.abort(new DOMException('nobody looks any more', 'AbortError'))
  }

  #start(): void {
    this.#retry?.[Symbol.dispose]()
    if (!this.#running && !this.#abort.signal.aborted) void this.#run()
  }

  async #run(): Promise<void> {
    this.#running = true
    const { group, version, resource } = this.#resource
    try {
      const stream = this.#face.open('kube.live', { group, version, resource, ...this.#selection }, { signal: this.#abort.signal })
      for await (const { value } of stream) {
        if (value.type === 'stale') this.#markStale(Date.parse(value.since), value.why)
        else this.#apply(value)
      }
      this.#markStale(wallClock(), t('live.ended'))
      this.#retry = after(RETRY_MS, () => this.#start())
    } catch (error) {
      this.#onFailure(error)
    } finally {
      this.#running = false
    }
  }

  #apply(
    update: { type: 'reset'; items: readonly unknown[] } | { type: 'changes'; upserts: readonly unknown[]; deletes: readonly string[] },
  ): void {
    if (update.type === 'reset') this.#objects = new Map((update.items as KubeObject[]).map((o) => [o.metadata.uid, o]))
    else {
      for (const object of update.upserts as KubeObject[]) this.#objects.set(object.metadata.uid, object)
      for (const uid of update.deletes) this.#objects.delete(uid)
    }
    this.#frame ??= this.#schedule(() => {
      this.#frame = null
      this.items.value = [...this.#objects.values()]
      this.changedAt.value = wallClock()
      if (this.state.value.phase !== 'live') this.state.value = { phase: 'live' }
    })
  }

  #markStale(since: number, why: string): void {
    const now = this.state.value
    if (now.phase === 'stale') return
    this.state.value = { phase: 'stale', since, why }
  }

  #onFailure(error: unknown): void {
    if (this.#abort.signal.aborted) return
    if (isLost(error)) {
      if (this.state.value.phase === 'live') this.#markStale(wallClock(), t('failure.lost.what'))
      return
    }
    const failure = failureOf(error, t('live.failed', { kind: this.#resource.resource }))
    if (failure) this.state.value = { phase: 'failed', failure }
    this.#retry = after(RETRY_MS, () => this.#start())
  }
}
