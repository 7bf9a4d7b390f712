/**
 * Keeps a log buffer filled from `kube.logs`: streamed, never polled. When the connection breaks it goes on from the last line and
 * marks the gap; when the container begins anew it is told by `restarted` and goes on with the new run.
 */
import { shallowRef, type ShallowRef } from 'vue'
import type { Face } from '../face/face.ts'
import { failureOf, isLost, type Failure } from '../face/failure.ts'
import { t } from '../i18n/index.ts'
import { after, pause, wallClock } from '../time/clock.ts'
import type { LogBuffer } from './buffer.ts'

export interface LogTarget {
  readonly namespace: string
  readonly pod: string
  readonly container: string
  readonly previous: boolean
  /** Lines from the end to begin with; absent: all. */
  readonly tailLines?: number | undefined
}

export type FollowState =
  | { readonly phase: 'connecting' }
  | { readonly phase: 'live' }
  | { readonly phase: 'lost'; readonly since: number }
  /** No more will come: the container ended, or only its past was asked for. */
  | { readonly phase: 'ended' }
  | { readonly phase: 'failed'; readonly failure: Failure }

/** After a reconnection, lines that came within this are what was missed (milliseconds). */
const CATCH_UP_MS = 1500
/** A stream that ended although the container runs is opened again after this. */
const AGAIN_MS = 1000

export class LogFollower implements Disposable {
  readonly state: ShallowRef<FollowState> = shallowRef({ phase: 'connecting' })
  readonly #face: Face
  readonly #buffer: LogBuffer
  readonly #target: LogTarget
  readonly #isRunning: () => boolean
  readonly #abort = new AbortController()
  readonly #open: Disposable
  #lostAt: number | null = null
  #running = false
  #begun = false

  constructor(options: { face: Face; buffer: LogBuffer; target: LogTarget; isRunning: () => boolean }) {
    this.#face = options.face
    this.#buffer = options.buffer
    this.#target = options.target
    this.#isRunning = options.isRunning
    this.#open = this.#face.whenOpen(() => this.#start())
  }

  /** The container has a new run. */
  restarted(): void {
    if (this.#target.previous || this.#running) return
    if (this.#buffer.size) this.#buffer.markRestart()
    this.#start()
  }

  [Symbol.dispose](): void {
    this.#open[Symbol.dispose]()
    this.#abort.abort(new DOMException('nobody looks any more', 'AbortError'))
  }

  #start(): void {
    if (!this.#running && !this.#abort.signal.aborted) void this.#run()
  }

  async #run(): Promise<void> {
    this.#running = true
    let again = true
    while (again && !this.#abort.signal.aborted) again = await this.#follow()
    this.#running = false
  }

  /** True to open it again at once. */
  async #follow(): Promise<boolean> {
    const { namespace, pod, container, previous, tailLines } = this.#target
    const since = this.#begun ? this.#buffer.lastTime : ''
    const lostAt = this.#lostAt
    const backAt = wallClock()
    let catchUp: Disposable | null = null
    let resumed = since === ''
    try {
      const stream = this.#face.open(
        'kube.logs',
        {
          namespace,
          pod,
          container,
          timestamps: true,
          ...(previous ? { previous } : { follow: true }),
          ...(since ? { sinceTime: since } : tailLines ? { tailLines } : {}),
        },
        { signal: this.#abort.signal },
      )
      // A connection that breaks again before anything came is still the same gap.
      const resume = () => {
        if (resumed) return
        resumed = true
        this.#lostAt = null
        this.#buffer.beginResume(lostAt === null ? null : { lostAt, backAt })
      }
      const settle = () => {
        resume()
        this.#buffer.endResume(lostAt ?? backAt, backAt)
      }
      if (since) catchUp = after(CATCH_UP_MS, settle)
      this.state.value = { phase: 'live' }
      for await (const { bytes } of stream) {
        this.#begun = true
        resume()
        if (bytes) this.#buffer.push(bytes)
      }
      settle()
      this.#buffer.flush()
      if (previous || !this.#isRunning()) {
        this.state.value = { phase: 'ended' }
        return false
      }
      this.#lostAt = wallClock()
      await pause(AGAIN_MS)
      return true
    } catch (error) {
      return this.#onFailure(error)
    } finally {
      catchUp?.[Symbol.dispose]()
    }
  }

  #onFailure(error: unknown): boolean {
    if (this.#abort.signal.aborted) return false
    if (isLost(error)) {
      this.#lostAt ??= wallClock()
      this.state.value = { phase: 'lost', since: this.#lostAt }
      return false
    }
    const failure = failureOf(error, t('logs.failed', { pod: this.#target.pod }))
    if (failure) this.state.value = { phase: 'failed', failure }
    return false
  }
}
