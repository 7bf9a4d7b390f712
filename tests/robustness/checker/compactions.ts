import type { History, Moment } from '../history.ts'

interface Compaction {
  readonly id: number
  readonly revision: number
  readonly begun: Moment
  readonly ended: Moment
  readonly certain: boolean
}

/** Which compactions there were, or may have been. */
export class Compactions {
  readonly #all: readonly Compaction[]

  constructor({ operations }: History) {
    this.#all = operations.flatMap(({ id, call, ending, begun, ended }) =>
      call.type === 'compact' && (ending === 'answered' || ending === 'unknown')
        ? [{ id, revision: call.revision, begun, ended, certain: ending === 'answered' }]
        : [],
    )
  }

  /** Whether what came before `revision` may have been gone by this moment, by another request than `except`. */
  mayBeAt(revision: number, moment: Moment, except = 0): boolean {
    return this.#all.some((one) => one.revision >= revision && one.id !== except && one.begun.order < moment.order)
  }

  /** Whether `revision` can certainly not be read from this moment on. */
  mustBeBeyond(revision: number, moment: Moment): boolean {
    return this.#all.some((one) => one.certain && one.revision > revision && one.ended.order < moment.order)
  }

  /** Whether a compaction at exactly this revision may have been made. */
  mayBeExactly(revision: number): boolean {
    return this.#all.some((one) => one.revision === revision)
  }
}
