/** A client of QEMU's machine protocol over its Unix socket. Source: QEMU's docs/interop/qmp-spec and the QMP reference manual. */
import { connect, type Socket } from 'node:net'
import { deadline, sleep, type Clock } from '../../base/clock.ts'

/** What QEMU answered to a command that it could not carry out. */
export class QmpError extends Error {
  override readonly name = 'QmpError'
  /** "GenericError", "CommandNotFound", "DeviceNotFound" or "KVMMissingCap". */
  readonly kind: string

  constructor(command: string, kind: string, description: string) {
    super(`${command}: ${description}`)
    this.kind = kind
  }
}

interface Pending {
  readonly command: string
  resolve(value: unknown): void
  reject(error: Error): void
}

export interface QmpOptions {
  readonly clock: Clock
  readonly signal?: AbortSignal | undefined
  /** Milliseconds to wait for the greeting: QEMU talks to one client at a time. Default 10 s. */
  readonly greetingMs?: number
}

/** Milliseconds between looks at a job. */
const JOB_POLL_MS = 100

/** One connection. Rejects what is under way when it breaks; does not connect again. */
export class Qmp implements Disposable {
  readonly #socket: Socket
  readonly #clock: Clock
  readonly #pending = new Map<number, Pending>()
  readonly #greeting = Promise.withResolvers<void>()
  readonly #closed = Promise.withResolvers<void>()
  #next = 1
  #failed: Error | null = null

  private constructor(socket: Socket, clock: Clock) {
    this.#socket = socket
    this.#clock = clock
    this.#greeting.promise.catch(() => undefined)
    let rest = ''
    socket.setEncoding('utf8').on('data', (chunk: string) => {
      const lines = (rest + chunk).split('\n')
      rest = lines.pop() ?? ''
      for (const line of lines) if (line.trim()) this.#take(line)
    })
    socket.on('error', (error) => this.#fail(error))
    socket.on('close', () => {
      this.#fail(new Error('QEMU closed the connection'))
      this.#closed.resolve()
    })
  }

  /** Rejects with the system's error if nothing listens, with TimeoutError if QEMU does not greet. */
  static async connect(path: string, { clock, signal, greetingMs = 10_000 }: QmpOptions): Promise<Qmp> {
    using limit = deadline(clock, greetingMs, signal)
    const socket = connect({ path })
    const qmp = new Qmp(socket, clock)
    const abort = () => socket.destroy(limit.signal.reason instanceof Error ? limit.signal.reason : new Error('given up'))
    if (limit.signal.aborted) abort()
    limit.signal.addEventListener('abort', abort, { once: true })
    try {
      await qmp.#greeting.promise
      await qmp.execute('qmp_capabilities')
      return qmp
    } catch (error) {
      qmp[Symbol.dispose]()
      throw error
    } finally {
      limit.signal.removeEventListener('abort', abort)
    }
  }

  /** Resolves with what the command returns. Rejects with QmpError, or with what broke the connection. */
  execute<T = unknown>(command: string, parameters?: Readonly<Record<string, unknown>>): Promise<T> {
    if (this.#failed) return Promise.reject(this.#failed)
    const id = this.#next++
    const { promise, resolve, reject } = Promise.withResolvers<unknown>()
    this.#pending.set(id, { command, resolve, reject })
    this.#socket.write(`${JSON.stringify({ execute: command, id, ...(parameters ? { arguments: parameters } : {}) })}\n`)
    return promise as Promise<T>
  }

  /** Starts a job and resolves when it has succeeded; rejects with QmpError if it ended otherwise. */
  async job(command: string, id: string, parameters: Readonly<Record<string, unknown>>, signal?: AbortSignal): Promise<void> {
    await this.execute(command, { 'job-id': id, ...parameters })
    for (;;) {
      const jobs = await this.execute<{ id: string; status: string; error?: string }[]>('query-jobs')
      const job = jobs.find((one) => one.id === id)
      if (!job) throw new QmpError(command, 'GenericError', 'the job disappeared')
      if (job.status === 'concluded') {
        await this.execute('job-dismiss', { id })
        if (job.error !== undefined) throw new QmpError(command, 'GenericError', job.error)
        return
      }
      await sleep(this.#clock, JOB_POLL_MS, signal)
    }
  }

  /** Resolves when QEMU has closed the connection, which it does when it ends. */
  get closed(): Promise<void> {
    return this.#closed.promise
  }

  [Symbol.dispose](): void {
    this.#socket.destroy()
    this.#fail(new Error('the connection was closed'))
  }

  #take(line: string): void {
    let message: { QMP?: unknown; id?: number; return?: unknown; error?: { class: string; desc: string } }
    try {
      message = JSON.parse(line) as typeof message
    } catch {
      return void this.#socket.destroy(new Error(`QEMU sent what is no JSON: ${line.slice(0, 80)}`))
    }
    if (message.QMP !== undefined) return this.#greeting.resolve()
    const pending = message.id === undefined ? undefined : this.#pending.get(message.id)
    // Events have no id; nothing here waits for one.
    if (!pending || message.id === undefined) return
    this.#pending.delete(message.id)
    if (message.error) pending.reject(new QmpError(pending.command, message.error.class, message.error.desc))
    else pending.resolve(message.return)
  }

  #fail(error: Error): void {
    this.#failed ??= error
    this.#greeting.reject(this.#failed)
    for (const pending of this.#pending.values()) pending.reject(this.#failed)
    this.#pending.clear()
  }
}
