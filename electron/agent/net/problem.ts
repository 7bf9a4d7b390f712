import { Emitter } from '../../base/events.ts'
import type { Logger } from '../../base/logger.ts'

/** What keeps a part of this node's network from working as it should. */
export interface Problem {
  /** In CamelCase, for the reason of a condition: "VxlanPortInUse". */
  readonly reason: string
  /** Says what is wrong, why, and what to do. */
  readonly message: string
  /** Whether pods of this node can have no network while it lasts. */
  readonly blocking: boolean
}

export interface ProblemSource {
  readonly problems: readonly Problem[]
  readonly problemsChanged: Emitter<void>
}

/** The present problems of one part, each logged when it comes and when it has gone. */
export class Problems implements ProblemSource {
  readonly problemsChanged = new Emitter<void>()
  readonly #logger: Logger
  readonly #present = new Map<string, Problem>()

  constructor(logger: Logger) {
    this.#logger = logger
  }

  get problems(): readonly Problem[] {
    return [...this.#present.values()]
  }

  /** Says what is known of `topic` now: a problem, or null for none. */
  set(topic: string, problem: Problem | null): void {
    const known = this.#present.get(topic)
    if (known?.reason === problem?.reason && known?.message === problem?.message) return
    if (problem) {
      this.#present.set(topic, problem)
      this.#logger.warn('network problem', { reason: problem.reason, problem: problem.message })
    } else {
      this.#present.delete(topic)
      this.#logger.info('network problem is over', { reason: known?.reason })
    }
    this.problemsChanged.emit()
  }
}

/** The problems of several parts as one; call `dispose` to stop listening to them. */
export function joinProblems(sources: readonly ProblemSource[]): ProblemSource & Disposable {
  const problemsChanged = new Emitter<void>()
  const listening = sources.map((source) => source.problemsChanged.on(() => problemsChanged.emit()))
  return {
    get problems() {
      return sources.flatMap((source) => source.problems)
    },
    problemsChanged,
    [Symbol.dispose]() {
      for (const one of listening) one[Symbol.dispose]()
    },
  }
}
