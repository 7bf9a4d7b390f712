/**
 * Names that only one object may hold (an address, a port): each is a key in the store, written in the same transaction as the
 * object that holds it, and deleted with it. What this process knows of them only guides its choice; the transaction decides.
 */
import type { Compare, Op, Store } from '../../../store/store.ts'
import { prefixRange } from '../../../store/store.ts'

export interface Holder {
  readonly namespace: string
  readonly name: string
}

export interface RecordSpaceOptions {
  readonly store: Store
  /** "/registry/ranges/nodeports/" */
  readonly prefix: string
  /** What the key of a name holds. */
  readonly value: (name: string, holder: Holder) => Uint8Array
}

export class RecordSpace {
  readonly #options: RecordSpaceOptions
  #taken: Set<string> | null = null

  constructor(options: RecordSpaceOptions) {
    this.#options = options
  }

  /** Names that were held when last looked; may be out of date. */
  async taken(): Promise<ReadonlySet<string>> {
    this.#taken ??= new Set((await this.all()).keys())
    return this.#taken
  }

  /** Looks anew the next time. */
  forget(): void {
    this.#taken = null
  }

  /** Every name with the revision of its record. */
  async all(): Promise<Map<string, number>> {
    const { store, prefix } = this.#options
    const { kvs } = await store.range({ ...prefixRange(prefix), keysOnly: true })
    return new Map(kvs.map(({ key, modRevision }) => [key.slice(prefix.length), modRevision]))
  }

  take(name: string, holder: Holder): { readonly compare: Compare; readonly op: Op } {
    const key = this.#options.prefix + name
    this.#taken?.add(name)
    return {
      compare: { key, target: 'version', result: 'equal', operand: 0 },
      op: { type: 'put', key, value: this.#options.value(name, holder) },
    }
  }

  release(name: string): Op {
    this.#taken?.delete(name)
    return { type: 'delete', key: this.#options.prefix + name }
  }
}
