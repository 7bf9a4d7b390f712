/** One log view: the containers it follows, and the engine that keeps their lines. */
import { shallowReactive, shallowRef, triggerRef, type ShallowRef } from 'vue'
import type { Face } from '../face/face.ts'
import { startEngineWorker, type EnginePort } from './engine/port.ts'
import type { FromEngine, LogSnapshot, Operation, Reply } from './engine/protocol.ts'
import { LogFollower, type FollowedContainer, type FollowState, type LogSink } from './follower.ts'

/** A container whose log is wanted. */
export interface LogTarget {
  /** Unique within the view. */
  readonly key: string
  readonly namespace: string
  readonly pod: string
  readonly container: string
  readonly previous: boolean
  /** How its lines are named where there are others'. */
  readonly label: string
  readonly running: boolean
  /** Id of the container's run; "" before the first. */
  readonly run: string
}

/** Where to begin. Milliseconds since the epoch. */
export type LogStart =
  | { readonly from: 'tail'; readonly lines: number }
  | { readonly from: 'all' }
  | { readonly from: 'time'; readonly sinceMs: number; readonly untilMs?: number | undefined }

export interface LogSourceView {
  readonly id: number
  readonly target: LogTarget
  readonly state: FollowState
}

interface Source {
  readonly id: number
  target: LogTarget
  readonly follower: LogFollower
}

const EMPTY: LogSnapshot = {
  version: 0,
  total: 0,
  held: 0,
  dropped: 0,
  bytes: 0,
  counts: [0, 0, 0, 0, 0],
  bySource: [],
  firstMs: null,
  lastMs: null,
  rows: 0,
  newer: 0,
  typed: '',
  matches: 0,
  searching: false,
  hit: null,
  window: 0,
  from: 0,
  lines: [],
}

export class LogSession implements Disposable {
  readonly snapshot: ShallowRef<LogSnapshot> = shallowRef(EMPTY)
  readonly #face: Face
  readonly #port: EnginePort
  readonly #waiting = new Map<number, { resolve: (reply: Reply) => void; reject: (error: Error) => void }>()
  readonly #sources = shallowReactive(new Map<string, Source>())
  readonly #changed = shallowRef(0)
  #start: LogStart = { from: 'all' }
  #nextCall = 1
  #nextSource = 0
  #nextWindow = 1

  constructor(face: Face, port: EnginePort = startEngineWorker()) {
    this.#face = face
    this.#port = port
    port.onMessage((message) => this.#onMessage(message))
  }

  /** In the order in which they came; reactive. */
  get sources(): LogSourceView[] {
    void this.#changed.value
    return [...this.#sources.values()].map(({ id, target, follower }) => ({ id, target, state: follower.state.value }))
  }

  /** Forgets all lines and begins with these containers. */
  begin(targets: readonly LogTarget[], start: LogStart): void {
    for (const { follower } of this.#sources.values()) follower[Symbol.dispose]()
    this.#sources.clear()
    this.#start = start
    this.#tell({ op: 'clear' })
    for (const target of targets) this.#add(target, start)
  }

  /** What is followed from now on: new containers join with all that they said, the lines of those that are gone stay. */
  update(targets: readonly LogTarget[]): void {
    for (const target of targets) {
      const known = this.#sources.get(target.key)
      if (!known) {
        this.#add(target, this.#start.from === 'tail' ? { from: 'all' } : this.#start)
        continue
      }
      const before = known.target
      known.target = target
      if (target.run && target.run !== before.run) known.follower.restarted()
    }
    triggerRef(this.#changed)
  }

  /** `level`: index in LEVELS of the least that is shown; `hidden`: sources that are not. */
  filter(filter: { typed: string; only: boolean; level: number; hidden: readonly number[] }): void {
    this.#tell({ op: 'filter', ...filter })
  }
  /** The number by which snapshots say that they answer this. */
  window(from: number, count: number, follow: boolean): number {
    const window = this.#nextWindow++
    this.#tell({ op: 'window', window, from, count, follow })
    return window
  }
  hold(on: boolean): void {
    this.#tell({ op: 'hold', on })
  }
  /** The index of the match; -1 if there is none. */
  async step(by: 1 | -1): Promise<number> {
    return (await this.#ask({ op: 'step', by })).index ?? -1
  }
  async indexOfTime(ms: number): Promise<number> {
    return (await this.#ask({ op: 'timeIndex', ms })).index ?? -1
  }
  async text(shown: boolean): Promise<readonly string[]> {
    return (await this.#ask({ op: 'text', shown })).parts ?? []
  }

  [Symbol.dispose](): void {
    for (const { follower } of this.#sources.values()) follower[Symbol.dispose]()
    this.#port.close()
  }

  #add(target: LogTarget, start: LogStart): void {
    const id = this.#nextSource++
    const untilMs = start.from === 'time' ? (start.untilMs ?? null) : null
    this.#tell({ op: 'source', source: id, label: target.label, untilMs })
    const container = (): FollowedContainer => this.#sources.get(target.key)?.target ?? target
    const follower = new LogFollower({
      face: this.#face,
      sink: this.#sink(id),
      container,
      target: {
        namespace: target.namespace,
        pod: target.pod,
        container: target.container,
        previous: target.previous,
        once: untilMs !== null,
        ...(start.from === 'tail' ? { tailLines: start.lines } : {}),
        ...(start.from === 'time' ? { sinceTime: new Date(start.sinceMs).toISOString() } : {}),
      },
    })
    this.#sources.set(target.key, { id, target, follower })
    triggerRef(this.#changed)
  }

  #sink(source: number): LogSink {
    return {
      push: async (bytes) => void (await this.#ask({ op: 'push', source, bytes })),
      flush: () => this.#tell({ op: 'flush', source }),
      beginResume: (gap) => this.#tell({ op: 'resume', source, gap }),
      endResume: () => this.#tell({ op: 'settle', source }),
      markRestart: () => this.#tell({ op: 'restart', source }),
      lastTime: async () => (await this.#ask({ op: 'lastTime', source })).time ?? '',
    }
  }

  /** The port keeps the order, so what needs no answer need not be waited for. */
  #tell(operation: Operation): void {
    void this.#ask(operation).catch(() => undefined)
  }

  #ask(operation: Operation): Promise<Reply> {
    const call = this.#nextCall++
    return new Promise((resolve, reject) => {
      this.#waiting.set(call, { resolve, reject })
      this.#port.post({ call, operation })
    })
  }

  #onMessage(message: FromEngine): void {
    if ('snapshot' in message) {
      this.snapshot.value = message.snapshot
      return
    }
    const waiting = this.#waiting.get(message.call)
    this.#waiting.delete(message.call)
    if (message.error) waiting?.reject(new Error(message.error))
    else waiting?.resolve(message.reply ?? {})
  }
}
