import { type ChildProcess, fork } from 'node:child_process'
import { once } from 'node:events'
import { AsyncQueue, type Deferred, deferred } from '../../../electron/base/async.ts'
import {
  type Maintenance,
  type Store,
  StoreError,
  type StoreHistory,
  type WatchBatch,
  type Watcher,
  type WatchRequest,
} from '../../../electron/store/store.ts'
import type { FromHost, Method, Refusal, ToHost } from './protocol.ts'

/** What clients use of a store. */
export type StoreClient = Pick<Store, 'range' | 'txn' | 'watch' | 'compact' | 'status' | 'lease'> & {
  readonly maintenance: Pick<Maintenance, 'check' | 'defragment'>
  readonly history: Pick<StoreHistory, 'range'> | null
}

interface RemoteWatch {
  readonly created: Deferred<{ revision: number }>
  readonly batches: AsyncQueue<WatchBatch>
}

const LOG = 8000

export interface HostOptions {
  /** The bundled `host.ts`. */
  readonly script: string
  readonly engine: string
  readonly dir: string
  /** Of the face, if the engine has one. */
  readonly port: number
  readonly env: Record<string, string>
}

/** This end of `host.ts`. What is under way when the process ends fails with `unavailable`. */
export class HostProcess {
  readonly client: StoreClient
  /** Resolves when the store is open; rejects with why it is not. */
  readonly opened: Promise<void>
  readonly exited: Promise<void>
  readonly #child: ChildProcess
  readonly #opening = deferred<void>()
  readonly #calls = new Map<number, Deferred<unknown>>()
  readonly #watches = new Map<number, RemoteWatch>()
  #ids = 0
  #gone = false
  /** The end of what it said on standard error. */
  log = ''

  constructor(options: HostOptions) {
    const { script, engine, dir, port, env } = options
    this.#child = fork(script, [engine, dir, String(port)], {
      env: { ...process.env, ...env },
      execArgv: ['--no-warnings'],
      serialization: 'advanced',
      stdio: ['ignore', 'ignore', 'pipe', 'ipc'],
    })
    this.opened = this.#opening.promise
    this.opened.catch(() => undefined)
    this.#child.stderr?.setEncoding('utf8').on('data', (text: string) => (this.log = `${this.log}${text}`.slice(-LOG)))
    this.#child.on('message', (message) => this.#receive(message as FromHost))
    this.#child.on('error', () => undefined)
    this.exited = once(this.#child, 'close').then(() => this.#ended())
    this.client = {
      range: (request) => this.#call('range', request),
      txn: (request) => this.#call('txn', request),
      compact: (revision) => this.#call('compact', revision),
      status: () => this.#call('status'),
      watch: (request) => this.#watch(request),
      maintenance: { check: () => this.#call('check'), defragment: () => this.#call('defragment') },
      history: engine.startsWith('embedded') ? { range: (request) => this.#call('past', request) } : null,
      lease: {
        grant: (ttl, id) => this.#call('grant', ttl, id),
        revoke: (id) => this.#call('revoke', id),
        keepAlive: (id) => this.#call('keepAlive', id),
        timeToLive: (id, options) => this.#call('timeToLive', id, options),
        list: () => this.#call('list'),
      },
    }
  }

  signal(signal: NodeJS.Signals): void {
    this.#child.kill(signal)
  }

  /** Asks it to close the store and to end. */
  close(): void {
    this.#send({ type: 'close' })
  }

  async kill(): Promise<void> {
    this.signal('SIGKILL')
    await this.exited
  }

  #send(message: ToHost): void {
    if (!this.#gone && this.#child.connected) this.#child.send(message, () => undefined)
  }

  #call<T>(method: Method, ...args: readonly unknown[]): Promise<T> {
    if (this.#gone) return Promise.reject(gone())
    const id = ++this.#ids
    const answer = deferred<unknown>()
    this.#calls.set(id, answer)
    this.#send({ type: 'call', id, method, args })
    return answer.promise as Promise<T>
  }

  #watch(request: WatchRequest): Watcher {
    const id = ++this.#ids
    const watch: RemoteWatch = { created: deferred(), batches: new AsyncQueue() }
    watch.created.promise.catch(() => undefined)
    this.#watches.set(id, watch)
    if (this.#gone) this.#endWatch(id, gone())
    else this.#send({ type: 'watch', id, request })
    const dispose = async () => {
      this.#send({ type: 'cancel', id })
      this.#watches.delete(id)
      watch.batches[Symbol.dispose]()
    }
    return {
      created: watch.created.promise,
      requestProgress: () => this.#send({ type: 'progress', id }),
      [Symbol.asyncIterator]: () => watch.batches,
      [Symbol.asyncDispose]: dispose,
    }
  }

  #receive(message: FromHost): void {
    switch (message.type) {
      case 'opened':
        return this.#opening.resolve()
      case 'openFailed':
        return this.#opening.reject(new Error(message.why))
      case 'answer':
        this.#calls.get(message.id)?.resolve(message.value)
        return void this.#calls.delete(message.id)
      case 'refusal':
        this.#calls.get(message.id)?.reject(asError(message.refusal))
        return void this.#calls.delete(message.id)
      case 'created':
        return this.#watches.get(message.id)?.created.resolve({ revision: message.revision })
      case 'batch':
        return this.#watches.get(message.id)?.batches.push(message.batch)
      case 'ended':
        return this.#endWatch(message.id, message.refusal && asError(message.refusal))
    }
  }

  #endWatch(id: number, error: StoreError | null): void {
    const watch = this.#watches.get(id)
    this.#watches.delete(id)
    watch?.created.reject(error ?? gone())
    if (error) watch?.batches.fail(error)
    else watch?.batches.end()
  }

  #ended(): void {
    this.#gone = true
    this.#opening.reject(new Error(`the process ended before the store was open: ${this.log}`))
    for (const call of this.#calls.values()) call.reject(gone())
    this.#calls.clear()
    for (const id of [...this.#watches.keys()]) this.#endWatch(id, gone())
  }
}

function gone(): StoreError {
  return new StoreError('unavailable', 'the process with the store has ended')
}

function asError({ code, message, compactRevision }: Refusal): StoreError {
  return new StoreError(code, message, compactRevision === undefined ? {} : { compactRevision })
}
