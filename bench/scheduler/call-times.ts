/** How long the calls of every component take, from when each is made until its answer is there. */
import type { Client } from '../../electron/client/client.ts'
import { overrideClient } from '../../electron/controllers/testing/override-client.ts'

export interface CallTimes {
  /** "create pods", with how often and, in seconds, the 99th percentile and the sum; the slowest first. */
  byCall(): readonly CallSummary[]
  /** Of all calls but lists and watches, as upstream's objective counts them: seconds. */
  p99(): number
  count(): number
}

export interface CallSummary {
  readonly call: string
  readonly count: number
  readonly p99: number
}

export class CallRecorder implements CallTimes {
  readonly #times = new Map<string, number[]>()

  /** The same client, listened to. */
  listen(client: Client): Client {
    const timed = <T>(call: string, answer: Promise<T>): Promise<T> => {
      const began = performance.now()
      const note = () => this.note(call, (performance.now() - began) / 1000)
      void answer.then(note, note)
      return answer
    }
    const of = (subresource: string | undefined) => (subresource ? `/${subresource}` : '')
    return overrideClient(client, {
      get: (kind, at, options) => timed(`get ${kind.resource}`, client.get(kind, at, options)),
      create: (kind, object, options) => timed(`create ${kind.resource}${of(options?.subresource)}`, client.create(kind, object, options)),
      update: (kind, object, options) => timed(`update ${kind.resource}${of(options?.subresource)}`, client.update(kind, object, options)),
      patch: (kind, at, patch, options) =>
        timed(`patch ${kind.resource}${of(options?.subresource)}`, client.patch(kind, at, patch, options)),
      delete: (kind, at, options) => timed(`delete ${kind.resource}`, client.delete(kind, at, options)),
      request: (request) => timed(`${request.method} ${request.path.split('/').at(-1) ?? ''}`, client.request(request)),
    })
  }

  note(call: string, seconds: number): void {
    const known = this.#times.get(call)
    if (known) known.push(seconds)
    else this.#times.set(call, [seconds])
  }

  forget(): void {
    this.#times.clear()
  }

  count(): number {
    return [...this.#times.values()].reduce((sum, times) => sum + times.length, 0)
  }

  p99(): number {
    return percentile([...this.#times.values()].flat(), 0.99)
  }

  byCall(): CallSummary[] {
    return [...this.#times]
      .map(([call, times]) => ({ call, count: times.length, p99: percentile(times, 0.99) }))
      .sort((a, b) => b.p99 - a.p99)
  }
}

function percentile(times: readonly number[], share: number): number {
  const sorted = times.toSorted((a, b) => a - b)
  return sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * share))] ?? 0
}
