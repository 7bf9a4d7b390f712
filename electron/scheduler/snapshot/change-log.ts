/** So many changes are remembered, of all nodes together. */
const KEPT = 16_384

/** Names of nodes in the order in which something about them changed, for those who follow it at their own pace. */
export class ChangeLog {
  #names: string[] = []
  /** How many were forgotten before the first of them. */
  #forgotten = 0

  get end(): number {
    return this.#forgotten + this.#names.length
  }

  note(node: string): void {
    this.#names.push(node)
    if (this.#names.length <= KEPT) return
    this.#names = this.#names.slice(KEPT / 2)
    this.#forgotten += KEPT / 2
  }

  /** Tells of the changes from a former `end` on. False: some of them are forgotten, and nothing is told. */
  tell(from: number, each: (node: string) => void): boolean {
    if (from < this.#forgotten) return false
    for (let i = from - this.#forgotten; i < this.#names.length; i++) each(this.#names[i] as string)
    return true
  }
}

/** Somebody who follows a log. */
export class ChangeReader {
  #log: ChangeLog | null = null
  #at = 0

  /** Tells of what changed since the last call. False: anything may have, because it is the first one, or the last was too long ago. */
  catchUp(log: ChangeLog, each: (node: string) => void): boolean {
    const told = this.#log === log && log.tell(this.#at, each)
    this.#log = log
    this.#at = log.end
    return told
  }
}
