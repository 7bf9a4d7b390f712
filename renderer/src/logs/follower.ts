/**
 * Keeps a log filled from `kube.logs`: streamed, never polled. When the connection breaks it goes on from the last line and marks the
 * gap; when the container begins anew it is told by `restarted` and goes on with the new run, after what it missed of the one before.
 */
import { shallowRef, type ShallowRef } from 'vue'
import type { Face } from '../face/face.ts'
import { failureOf, isLost, type Failure } from '../face/failure.ts'
import { t } from '../i18n/index.ts'
import { after, pause, wallClock } from '../time/clock.ts'

export interface FollowTarget {
  readonly namespace: string
  readonly pod: string
  readonly container: string
  readonly previous: boolean
  /** Lines from the end to begin with, or the time to begin at; neither: all. */
  readonly tailLines?: number | undefined
  readonly sinceTime?: string | undefined
  /** What is there now, and no more. */
  readonly once?: boolean | undefined
}

/** Where the lines go. */
export interface LogSink {
  /** Resolves when more may come. */
  push(bytes: Uint8Array): Promise<void>
  /** What is left without a newline is a line, too. */
  flush(): void
  /** Lines come again from the last one on; milliseconds since the epoch. */
  beginResume(gap: { lostAt: number; backAt: number } | null): void
  endResume(): void
  markRestart(): void
  /** RFC 3339; "" if there is none. */
  lastTime(): Promise<string>
}

/** A container as it is now. */
export interface FollowedContainer {
  readonly running: boolean
  /** Id of its run; "" while there is none. */
  readonly run: string
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
  readonly #sink: LogSink
  readonly #target: FollowTarget
  readonly #container: () => FollowedContainer
  readonly #abort = new AbortController()
  readonly #open: Disposable
  #lostAt: number | null = null
  #running = false
  #begun = false
  /** The run whose lines came last, and whether they were read to their end. */
  #run = { id: '', whole: false }

  constructor(options: { face: Face; sink: LogSink; target: FollowTarget; container: () => FollowedContainer }) {
    this.#face = options.face
    this.#sink = options.sink
    this.#target = options.target
    this.#container = options.container
    this.#open = this.#face.whenOpen(() => this.#start())
  }

  /** The container has a new run. */
  restarted(): void {
    if (this.#target.previous || this.#target.once || this.#running) return
    if (this.#begun) this.#sink.markRestart()
    this.#start()
  }

  [Symbol.dispose](): void {
    this.#open[Symbol.dispose]()
    this.#abort.abort(new DOMException('nobody looks any more', 'AbortError'))
  }

  #start(): void {
    if (!this.#running && !this.#abort.signal.aborted) void this.#loop()
  }

  async #loop(): Promise<void> {
    this.#running = true
    let again = true
    while (again && !this.#abort.signal.aborted) again = await this.#follow()
    this.#running = false
  }

  /** True to open it again at once. */
  async #follow(): Promise<boolean> {
    const { previous, once, tailLines, sinceTime } = this.#target
    const since = this.#begun ? await this.#sink.lastTime() : ''
    const lostAt = this.#lostAt
    const backAt = wallClock()
    const follows = !previous && !once
    let catchUp: Disposable | null = null
    let resumed = since === ''
    // A connection that breaks again before anything came is still the same gap.
    const resume = () => {
      if (resumed) return
      resumed = true
      this.#lostAt = null
      this.#sink.beginResume(lostAt === null ? null : { lostAt, backAt })
    }
    const settle = () => {
      resume()
      this.#sink.endResume()
    }
    try {
      const { run } = this.#container()
      const before = this.#run
      if (since && before.id && run && before.id !== run && !before.whole) await this.#readPrevious(since, resume)
      const stream = this.#stream({
        ...(previous ? { previous } : follows ? { follow: true } : {}),
        ...(since ? { sinceTime: since } : sinceTime ? { sinceTime } : tailLines ? { tailLines } : {}),
      })
      this.#run = { id: run, whole: false }
      if (since) catchUp = after(CATCH_UP_MS, settle)
      this.state.value = { phase: 'live' }
      for await (const { bytes } of stream) {
        this.#begun = true
        resume()
        if (bytes) await this.#sink.push(bytes)
      }
      if (since) settle()
      this.#sink.flush()
      if (!follows || !this.#container().running) {
        this.#run = { id: run, whole: true }
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

  #stream(options: { follow?: boolean; previous?: boolean; sinceTime?: string; tailLines?: number }) {
    const { namespace, pod, container } = this.#target
    return this.#face.open('kube.logs', { namespace, pod, container, timestamps: true, ...options }, { signal: this.#abort.signal })
  }

  /** While the connection was away the container ended and began anew: its last lines are the previous run's now. */
  async #readPrevious(since: string, resume: () => void): Promise<void> {
    try {
      for await (const { bytes } of this.#stream({ previous: true, sinceTime: since })) {
        resume()
        if (bytes) await this.#sink.push(bytes)
      }
      this.#sink.flush()
    } catch (error) {
      // Only the newest two runs are kept on the node; an older one's end is gone, which the mark of the gap says.
      if (this.#abort.signal.aborted || isLost(error)) throw error
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
