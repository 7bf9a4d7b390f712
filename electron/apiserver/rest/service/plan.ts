import type { StatusError } from '../../../machinery/status.ts'
import type { Compare, Op } from '../../../store/store.ts'
import type { Companions } from '../../registry/guaranteed-update.ts'
import type { Holder, RecordSpace } from './records.ts'

/** A name that was asked for fails if another holds it; one that was chosen is chosen anew. */
type Wish = { readonly taken: () => StatusError; readonly undo?: never } | { readonly undo: () => void; readonly taken?: never }

/** Names that an object takes and gives back when it is written. */
export class Plan {
  readonly #holder: Holder
  readonly #compare: Compare[] = []
  readonly #ops: Op[] = []
  readonly #wishes: { readonly space: RecordSpace; readonly name: string; readonly wish: Wish }[] = []

  constructor(holder: Holder) {
    this.#holder = holder
  }

  take(space: RecordSpace, name: string, wish: Wish): void {
    const { compare, op } = space.take(name, this.#holder)
    this.#compare.push(compare)
    this.#ops.push(op)
    this.#wishes.push({ space, name, wish })
  }

  release(space: RecordSpace, name: string): void {
    this.#ops.push(space.release(name))
  }

  companions(): Companions | null {
    if (this.#ops.length === 0) return null
    return { compare: this.#compare, ops: this.#ops, refused: () => this.#refused() }
  }

  /** Somebody was faster, or what this process knew was out of date. */
  async #refused(): Promise<void> {
    for (const { space } of this.#wishes) space.forget()
    for (const { space, name, wish } of this.#wishes) {
      if (wish.taken && (await space.taken()).has(name)) throw wish.taken()
      wish.undo?.()
    }
  }
}
