import { type History, type Moment, revisionIn } from '../history.ts'

interface Sight {
  readonly at: Moment
  /** The newest revision that anyone had been told of by then. */
  readonly revision: number
}

/** When the clients were told of which revision: what is real-time order is judged by. */
export class Knowledge {
  /** In order of time; each with a higher revision than the one before. */
  readonly #sights: Sight[] = []

  constructor({ operations, watches }: History) {
    const all: Sight[] = operations.map((operation) => ({ at: operation.ended, revision: revisionIn(operation) }))
    for (const { created, batches } of watches) {
      if (created) all.push({ at: created.at, revision: created.revision })
      for (const { at, batch } of batches) all.push({ at, revision: batch.revision })
    }
    for (const sight of all.sort((a, b) => a.at.order - b.at.order)) {
      if (sight.revision > (this.#sights.at(-1)?.revision ?? 0)) this.#sights.push(sight)
    }
  }

  /** The newest revision that anyone was told of before this moment; 0 if none. */
  before(moment: Moment): number {
    const index = this.#search((sight) => sight.at.order >= moment.order)
    return this.#sights[index - 1]?.revision ?? 0
  }

  /** When someone was first told of this revision or a later one. */
  firstSeen(revision: number): Moment {
    const never = { order: Number.POSITIVE_INFINITY, ms: Number.POSITIVE_INFINITY }
    return this.#sights[this.#search((sight) => sight.revision >= revision)]?.at ?? never
  }

  /** Index of the first sight of which `is` holds; it holds of all after that. */
  #search(is: (sight: Sight) => boolean): number {
    let low = 0
    let high = this.#sights.length
    while (low < high) {
      const middle = (low + high) >>> 1
      if (is(this.#sights[middle] as Sight)) high = middle
      else low = middle + 1
    }
    return low
  }
}
