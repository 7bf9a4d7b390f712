import { Worker } from 'node:worker_threads'
import { type Deferred, deferred } from '../../base/async.ts'
import type { Clock } from '../../base/clock.ts'
import type { Logger } from '../../base/logger.ts'
import { StoreError } from '../store.ts'
import type { CommitMessage, Failure, FromWriter, ToWriter, WriterInit } from './protocol.ts'

/** Frames up to this size are used again. */
const KEPT_FRAME = 8 * 1024 * 1024
/** How often a full disk is looked at again, in milliseconds. */
const PROBE = 5000

export type Batch = Omit<CommitMessage, 'type' | 'epoch'>

/** This thread's end of the writing thread: batches in, in order; an answer for each. */
export class Writer implements AsyncDisposable {
  readonly #worker: Worker
  readonly #logger: Logger
  readonly #clock: Clock
  readonly #makeRoom: () => Promise<boolean>
  readonly #ready = deferred<void>()
  readonly #exited = deferred<void>()
  /** One for each batch under way, oldest first. */
  readonly #waiting: Deferred<void>[] = []
  #frames: ArrayBuffer[] = []
  #epoch = 0
  /** Why nothing can be written any more. */
  #refusal: StoreError | null = null
  #full = false
  #probing: Disposable | null = null
  #shrinking: Deferred<number> | null = null
  #defragmenting: Deferred<void> | null = null
  #closing = false

  /** `makeRoom` gives up what the disk can spare; false if there was nothing. */
  constructor(deps: { url: URL; init: WriterInit; clock: Clock; logger: Logger; makeRoom: () => Promise<boolean> }) {
    this.#makeRoom = deps.makeRoom
    this.#logger = deps.logger
    this.#clock = deps.clock
    this.#worker = new Worker(deps.url, { workerData: deps.init, name: 'store', execArgv: [] })
    this.#ready.promise.catch(() => undefined)
    this.#worker.on('message', (message: FromWriter) => this.#receive(message))
    this.#worker.on('error', (error) => this.#lost(error))
    this.#worker.on('exit', () => {
      this.#lost(new Error('it ended'))
      this.#exited.resolve()
    })
  }

  /** The disk is full: only what makes room is to be written, until there is some. */
  get full(): boolean {
    return this.#full
  }

  /** Resolves when the thread can write. */
  ready(): Promise<void> {
    return this.#ready.promise
  }

  /** Why every batch is refused, if it is. */
  get refusal(): StoreError | null {
    return this.#refusal
  }

  /** Refuses every later batch with this error. */
  refuse(error: StoreError): void {
    this.#refusal ??= error
  }

  /** A buffer of at least `size` bytes for a batch. */
  frame(size: number): ArrayBuffer {
    const index = this.#frames.findIndex((frame) => frame.byteLength >= size)
    const [kept] = index < 0 ? [] : this.#frames.splice(index, 1)
    return kept ?? new ArrayBuffer(Math.max(64 * 1024, 2 ** Math.ceil(Math.log2(size + 1))))
  }

  /**
   * Rejects with StoreError `noSpace`: then nothing was kept; or with `corrupt` or `unavailable`: then nothing is shown, but a disk that
   * failed while it flushed may have kept the batch, all of it, which is seen when the store is opened again.
   */
  commit(batch: Batch): Promise<void> {
    if (this.#refusal) return Promise.reject(this.#refusal)
    const answer = deferred<void>()
    this.#waiting.push(answer)
    this.#send({ type: 'commit', epoch: this.#epoch, ...batch }, [batch.frame])
    return answer.promise
  }

  /** Gives up to so many unused pages back to the file system; resolves with how many are left. One at a time. */
  shrink(pages: number): Promise<number> {
    this.#shrinking = deferred()
    this.#send({ type: 'shrink', pages }, [])
    return this.#shrinking.promise
  }

  /** Writes the database anew, without its unused pages; what is committed meanwhile waits. Rejects with StoreError. */
  defragment(): Promise<void> {
    if (this.#refusal) return Promise.reject(this.#refusal)
    if (!this.#defragmenting) {
      this.#defragmenting = deferred()
      this.#send({ type: 'defragment' }, [])
    }
    return this.#defragmenting.promise
  }

  async [Symbol.asyncDispose](): Promise<void> {
    if (!this.#closing) {
      this.#closing = true
      this.#probing?.[Symbol.dispose]()
      this.#send({ type: 'close' }, [])
    }
    await this.#exited.promise
  }

  #send(message: ToWriter, transfer: ArrayBuffer[]): void {
    this.#worker.postMessage(message, transfer)
  }

  #receive(message: FromWriter): void {
    switch (message.type) {
      case 'ready':
        return this.#ready.resolve()
      case 'checkpointFailed':
        return this.#logger.warn('the write-ahead log could not be folded into the database', { reason: message.message })
      case 'done':
        this.#keep(message.frame)
        return this.#waiting.shift()?.resolve()
      case 'failed':
        this.#keep(message.frame)
        return this.#failed(message.epoch, message.failure)
      case 'shrunk':
        return this.#shrinking?.resolve(message.left)
      case 'defragmented':
        return this.#defragmented(message.failure)
      case 'roomWanted':
        return void this.#makeRoom().then(() => this.#send({ type: 'roomMade' }, []))
      case 'reserve':
        return this.#reserveIs(message.held)
    }
  }

  #defragmented(failure: Failure | null): void {
    const answer = this.#defragmenting
    this.#defragmenting = null
    if (failure === null) return answer?.resolve()
    this.#logger.warn('the database could not be written anew', { kind: failure.kind, reason: failure.message })
    const next = failure.kind === 'full' ? 'Make room, then try again.' : 'Check the disk.'
    const message = `The database could not be written anew (${failure.message}): it is as it was. ${next}`
    answer?.reject(new StoreError(failure.kind === 'full' ? 'noSpace' : 'unavailable', message))
  }

  /**
   * Of an epoch, all that is under way fails with the first, and is said to have failed at once: nobody must build on one of them when a
   * new epoch has begun. The answers to the others come later and say nothing new.
   */
  #failed(epoch: number, failure: Failure): void {
    if (epoch !== this.#epoch) return
    this.#epoch++
    this.#logger.error('a batch could not be written', { kind: failure.kind, reason: failure.message })
    const error = this.#errorOf(failure)
    for (const answer of this.#waiting.splice(0)) answer.reject(error)
  }

  #errorOf({ kind, message }: Failure): StoreError {
    if (kind === 'full') {
      this.#setFull(true)
      return new StoreError('noSpace', `The disk is full (${message}): nothing was written. Make room, then try again.`)
    }
    const why = kind === 'corrupt' ? 'The database is damaged' : 'The disk failed'
    const next = kind === 'corrupt' ? 'Restore the state folder from a backup.' : 'Check the disk, then start again.'
    this.refuse(new StoreError(kind === 'corrupt' ? 'corrupt' : 'unavailable', `${why} (${message}): no write is accepted. ${next}`))
    return this.#refusal as StoreError
  }

  /** Without the reserve the disk is as good as full, until something is given up for it. */
  #reserveIs(held: boolean): void {
    const before = this.#full
    this.#setFull(!held)
    if (held || before) return
    void this.#makeRoom().then((made) => {
      if (made && !this.#closing) this.#send({ type: 'probe' }, [])
    })
  }

  #setFull(full: boolean): void {
    if (full !== this.#full) this.#logger.warn(full ? 'the disk is full: only deletions are accepted' : 'there is room on the disk again')
    this.#full = full
    if (!full || this.#closing) {
      this.#probing?.[Symbol.dispose]()
      this.#probing = null
    } else this.#probing ??= this.#clock.setInterval(() => this.#send({ type: 'probe' }, []), PROBE, { unref: true })
  }

  #lost(error: unknown): void {
    const reason = error instanceof Error ? error.message : String(error)
    const failure = new StoreError('unavailable', `The thread that writes the store ended: ${reason}.`, { cause: error })
    if (!this.#closing) this.#logger.error('the writing thread ended', { error })
    this.refuse(failure)
    this.#ready.reject(failure)
    for (const answer of this.#waiting.splice(0)) answer.reject(failure)
    this.#shrinking?.resolve(0)
    this.#defragmenting?.reject(failure)
    this.#probing?.[Symbol.dispose]()
  }

  #keep(frame: ArrayBuffer): void {
    if (frame.byteLength <= KEPT_FRAME && this.#frames.length < 4) this.#frames.push(frame)
  }
}
