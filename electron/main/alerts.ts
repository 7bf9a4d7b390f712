/** Which of a cluster's troubles are worth a notification: those that are new, gathered into one for each kind. */
import type { Clock } from '../base/clock.ts'
import type { Health } from '../plane/health.ts'

export type Alert =
  /** Nodes that were ready and are not any more. */
  | { readonly type: 'silent'; readonly nodes: readonly string[] }
  | { readonly type: 'looping'; readonly pods: readonly { readonly namespace: string; readonly name: string }[] }

/** What breaks within so many milliseconds is told as one. */
const GATHER = 5000
/** What was told of a thing is not told again within this time, in milliseconds: a crashing container runs for a moment now and then. */
const REMEMBER = 3_600_000
/** Milliseconds after a start or a wake-up in which nothing is told: nodes come back one after another. */
const QUIET = 120_000

export class Alerts implements Disposable {
  readonly #clock: Clock
  readonly #tell: (alert: Alert) => void
  readonly #told = new Map<string, number>()
  readonly #waiting = new Map<string, Health['looping'][number] | string>()
  #latest: Health | null = null
  #quietUntil: number
  #timer: Disposable | null = null

  constructor(clock: Clock, tell: (alert: Alert) => void) {
    this.#clock = clock
    this.#tell = tell
    this.#quietUntil = clock.monotonic() + QUIET
  }

  /** The plane was started, or the computer woke up: what is broken now is not news. */
  hush(): void {
    this.#quietUntil = this.#clock.monotonic() + QUIET
    this.#latest = null
  }

  take(health: Health): void {
    const before = this.#latest
    this.#latest = health
    if (!before || this.#clock.monotonic() < this.#quietUntil) return this.#rememberAll(health)
    for (const name of health.silent) if (!before.silent.includes(name)) this.#add(`node/${name}`, name)
    for (const pod of health.looping) this.#add(`pod/${pod.namespace}/${pod.name}`, pod)
  }

  [Symbol.dispose](): void {
    this.#timer?.[Symbol.dispose]()
  }

  #rememberAll(health: Health): void {
    for (const { namespace, name } of health.looping) this.#told.set(`pod/${namespace}/${name}`, this.#clock.monotonic())
  }

  #add(key: string, what: Health['looping'][number] | string): void {
    const now = this.#clock.monotonic()
    for (const [known, at] of this.#told) if (now - at > REMEMBER) this.#told.delete(known)
    if (this.#told.has(key)) return
    this.#told.set(key, now)
    this.#waiting.set(key, what)
    this.#timer ??= this.#clock.setTimeout(() => this.#flush(), GATHER)
  }

  #flush(): void {
    this.#timer = null
    const waiting = [...this.#waiting.values()]
    this.#waiting.clear()
    // What mended itself meanwhile is no news.
    const nodes = waiting.filter((each) => typeof each === 'string').filter((name) => this.#latest?.silent.includes(name))
    const pods = waiting.filter((each) => typeof each !== 'string')
    if (nodes.length > 0) this.#tell({ type: 'silent', nodes })
    if (pods.length > 0) this.#tell({ type: 'looping', pods })
  }
}
