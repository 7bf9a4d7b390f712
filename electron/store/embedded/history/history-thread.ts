import { Worker } from 'node:worker_threads'
import { type Deferred, deferred } from '../../../base/async.ts'
import { messageOf } from '../../../base/errors.ts'
import { type Moment, StoreError } from '../../store.ts'
import type { Answer, FromHistory, HistoryInit, Question, ToHistory } from './protocol.ts'

/** This thread's end of the thread that keeps the history. It lives until it is disposed or fails. */
export class HistoryThread implements AsyncDisposable {
  readonly #worker: Worker
  readonly #onKept: (count: number) => void
  readonly #onFailed: (why: string) => void
  readonly #asked = new Map<number, Deferred<Answer>>()
  readonly #exited = deferred<void>()
  #questions = 0
  #ended = false

  /** `onFailed` is called once, when it has ended by itself: nothing is kept any more. */
  constructor(deps: { url: URL; init: HistoryInit; onKept: (count: number) => void; onFailed: (why: string) => void }) {
    this.#onKept = deps.onKept
    this.#onFailed = deps.onFailed
    this.#worker = new Worker(deps.url, { workerData: deps.init, name: 'store-history', execArgv: [] })
    this.#worker.on('message', (message: FromHistory) => this.#receive(message))
    this.#worker.on('error', (error) => this.#failed(messageOf(error)))
    this.#worker.on('exit', () => {
      this.#exited.resolve()
      this.#failed('the thread ended')
    })
  }

  /** As `HistoryDatabase.keep`, slice by slice, each of which is told. */
  keep(rows: Float64Array<ArrayBuffer>): void {
    this.#send({ type: 'keep', rows }, [rows.buffer])
  }

  note(moment: Moment): void {
    this.#send({ type: 'note', moment })
  }

  /** Rejects with StoreError `unavailable` if the thread ends before it answers. */
  ask(question: Question): Promise<Answer> {
    if (this.#ended) return Promise.reject(gone())
    const id = ++this.#questions
    const answer = deferred<Answer>()
    this.#asked.set(id, answer)
    this.#send({ type: 'ask', id, question })
    return answer.promise
  }

  /** What is under way is not finished. */
  async [Symbol.asyncDispose](): Promise<void> {
    this.#end()
    this.#send({ type: 'close' })
    await this.#exited.promise
  }

  #send(message: ToHistory, transfer: ArrayBuffer[] = []): void {
    this.#worker.postMessage(message, transfer)
  }

  #receive(message: FromHistory): void {
    if (this.#ended) return
    switch (message.type) {
      case 'kept':
        return this.#onKept(message.count)
      case 'answer':
        this.#asked.get(message.id)?.resolve(message.answer)
        this.#asked.delete(message.id)
        return
      case 'failed':
        return this.#failed(message.message)
    }
  }

  #failed(why: string): void {
    if (this.#ended) return
    this.#end()
    this.#onFailed(why)
  }

  #end(): void {
    this.#ended = true
    for (const answer of this.#asked.values()) answer.reject(gone())
    this.#asked.clear()
  }
}

export function gone(): StoreError {
  return new StoreError(
    'unavailable',
    'No history is kept now: the disk is full, or failed. It begins anew with the next compaction for which there is room.',
  )
}
