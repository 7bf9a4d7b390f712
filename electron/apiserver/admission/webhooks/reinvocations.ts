/** Which webhooks see the object once more, because others changed it after them. Source: apiserver `webhook/mutating/reinvocationcontext.go`. */
import type { KubeObject } from '../../../api/meta/v1/object.ts'
import { semanticEqual } from '../../../api/values/equal.ts'

export class Reinvocations {
  #invoked = new Set<string>()
  readonly #due = new Set<string>()
  #last: KubeObject | null = null

  /** A webhook that wants to see later changes was asked. */
  invoked(id: string): void {
    this.#invoked.add(id)
  }

  /** The object is another than those saw who were asked before. */
  changed(): void {
    for (const id of this.#invoked) this.#due.add(id)
    this.#invoked = new Set()
  }

  remember(object: KubeObject | null): void {
    this.#last = structuredClone(object)
  }

  /** Other plugins may have changed it since. */
  noticeChange(object: KubeObject | null): void {
    if (!semanticEqual(this.#last, object)) this.changed()
  }

  isDue(id: string): boolean {
    return this.#due.has(id)
  }
}
