import { judge, parsed, type Violation } from '../oracle/status.ts'
import { NoAnswer, type Answer, type FuzzRequest, type Transport } from '../transport/connection.ts'

/** A promise that was broken, with what was sent before it. */
export class Broken extends Error {
  readonly violation: Violation
  readonly sent: readonly FuzzRequest[]

  constructor(violation: Violation, sent: readonly FuzzRequest[]) {
    super(`${violation.rule}: ${violation.message}`)
    this.violation = violation
    this.sent = sent
  }
}

/** One scenario's hand: sends requests, and has each answer judged. */
export class Actor {
  readonly transport: Transport
  readonly sent: FuzzRequest[] = []
  readonly #onSent: (answer: Answer | null) => void

  constructor(transport: Transport, onSent: (answer: Answer | null) => void) {
    this.transport = transport
    this.#onSent = onSent
  }

  /** Null where the connection was ended instead of an answer, which only bytes that are no request may lead to. */
  async send(request: FuzzRequest): Promise<Answer | null> {
    this.sent.push(request)
    let answer: Answer
    try {
      answer = await this.transport.send(request)
    } catch (error) {
      this.#onSent(null)
      if (error instanceof NoAnswer) return null
      // What Node's client refuses to send was never asked.
      if (error instanceof TypeError) return null
      throw this.broken('no-answer', error instanceof Error ? error.message : String(error))
    }
    this.#onSent(answer)
    const violation = judge(request, answer)
    if (violation) throw new Broken(violation, this.sent)
    return answer
  }

  /** An object with its answer, if it was one. */
  async ask(request: FuzzRequest): Promise<{ status: number; object: Record<string, unknown> | undefined } | null> {
    const answer = await this.send(request)
    return answer && { status: answer.status, object: parsed(answer.body) }
  }

  broken(rule: string, message: string): Broken {
    return new Broken({ rule, message }, this.sent)
  }
}
