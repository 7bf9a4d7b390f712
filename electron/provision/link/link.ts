/**
 * The lasting SSH connection to one machine. It is made again by itself, and while it is up the machine's agent reaches the API
 * server through it, and the API server the agent. See docs/architecture.md, "Reaching a worker".
 */
import { connect as connectTcp } from 'node:net'
import type { Duplex } from 'node:stream'
import { sleep, type Clock } from '../../base/clock.ts'
import { FlotillaError, messageOf } from '../../base/errors.ts'
import { Emitter } from '../../base/events.ts'
import { component, type Component } from '../../base/lifecycle.ts'
import type { Logger } from '../../base/logger.ts'
import type { Random } from '../../base/random.ts'
import { LAYOUT } from '../layout.ts'
import { requireSuccess } from '../ssh/exec.ts'
import type { MachineConnection } from '../ssh/endpoint.ts'
import type { SshConnection } from '../ssh/connection.ts'
import { rootShell, userShell } from '../ssh/sudo.ts'
import { Backoff } from './backoff.ts'

export interface LinkState {
  readonly connected: boolean
  /** Milliseconds since the epoch: since when it is so. */
  readonly since: number
  /** Why it is not connected. */
  readonly error?: FlotillaError
}

export interface LinkDeps {
  readonly clock: Clock
  readonly random: Random
  readonly logger: Logger
  /** Port of the API server on this computer's loopback. */
  readonly apiPort: () => number
  connect(signal: AbortSignal): Promise<MachineConnection>
}

/** Keepalives of a link: given up after about 20 seconds of silence. */
export const LINK_KEEPALIVE = { intervalMs: 5000, count: 3 }
/** The first attempts come fast, and a machine that is off for long costs a few packets every 10 seconds. */
const BACKOFF = { firstMs: 250, mostMs: 10_000 }
/** How long an answer may take when there is reason to doubt the connection. */
const PROBE_MS = 3000
/** A clock that jumps by more than this while waiting for `TICK_MS` was asleep. */
const TICK_MS = 5000
const SLEPT_MS = 10_000

export class Link implements Component {
  readonly #deps: LinkDeps
  readonly #changes = new Emitter<LinkState>()
  readonly #component: Component
  #state: LinkState
  #connection: SshConnection | null = null
  #wake: AbortController = new AbortController()

  constructor(deps: LinkDeps) {
    this.#deps = deps
    this.#state = { connected: false, since: deps.clock.now() }
    this.#component = component(async (stack) => {
      const stopping = new AbortController()
      const running = this.#run(stopping.signal)
      stack.defer(async () => {
        stopping.abort(new DOMException('the link is stopped', 'AbortError'))
        await running
      })
      const ticking = deps.clock.setInterval(() => this.#tick(), TICK_MS, { unref: true })
      stack.defer(() => ticking[Symbol.dispose]())
    })
  }

  get state(): Component['state'] {
    return this.#component.state
  }

  /** Begins to connect; does not wait for it. */
  start(signal?: AbortSignal): Promise<void> {
    this.#lastTick = this.#deps.clock.now()
    return this.#component.start(signal)
  }

  [Symbol.asyncDispose](): Promise<void> {
    return Promise.resolve(this.#component[Symbol.asyncDispose]())
  }

  get link(): LinkState {
    return this.#state
  }

  /** Calls on each change, not at once. */
  onChange(listener: (state: LinkState) => void): Disposable {
    return this.#changes.on(listener)
  }

  /** Resolves when it is up; rejects with the signal's reason, or when the link is stopped. */
  async whenConnected(signal?: AbortSignal): Promise<void> {
    if (this.#state.connected) return
    await new Promise<void>((resolve, reject) => {
      const onAbort = () => {
        listening[Symbol.dispose]()
        reject(signal?.reason as Error)
      }
      const listening = this.onChange(({ connected }) => {
        if (!connected) return
        listening[Symbol.dispose]()
        signal?.removeEventListener('abort', onAbort)
        resolve()
      })
      if (signal?.aborted) onAbort()
      else signal?.addEventListener('abort', onAbort, { once: true })
    })
  }

  /** A byte stream to a port on the machine's loopback. Rejects with SSH_CONNECTION_LOST while the link is down. */
  async dial(port: number, signal?: AbortSignal): Promise<Duplex> {
    return await this.#require().dial('127.0.0.1', port, signal)
  }

  /** The connection as it is, for a shell or a command. Throws SSH_CONNECTION_LOST while the link is down. */
  get connection(): SshConnection {
    return this.#require()
  }

  /** There is reason to think that the network changed: tries at once, or sees whether the connection still answers. */
  poke(): void {
    this.#wake.abort()
    const connection = this.#connection
    if (connection) void this.#probe(connection)
  }

  async #run(signal: AbortSignal): Promise<void> {
    const { clock, random, logger } = this.#deps
    const backoff = new Backoff(random, BACKOFF)
    while (!signal.aborted) {
      try {
        await this.#connectOnce(signal, () => backoff.reset())
      } catch (error) {
        if (signal.aborted) break
        const coded = error instanceof FlotillaError ? error : unexpected(error)
        logger.info('link down', { code: coded.code, why: coded.why })
        this.#set({ connected: false, error: coded })
      }
      if (signal.aborted) break
      this.#wake = new AbortController()
      await sleep(clock, backoff.next(), AbortSignal.any([signal, this.#wake.signal])).catch(() => undefined)
    }
    this.#set({ connected: false })
  }

  /** Resolves when a connection that was up has ended; rejects if it could not be made. */
  async #connectOnce(signal: AbortSignal, onUp: () => void): Promise<void> {
    const { connection } = await this.#deps.connect(signal)
    await using stack = new AsyncDisposableStack()
    stack.defer(async () => {
      this.#connection = null
      await connection[Symbol.asyncDispose]()
    })
    const relay = stack.use(await connection.listen((stream) => this.#relay(stream)))
    const script = `printf %s ${relay.port} > ${LAYOUT.apiPort}.new && mv -f ${LAYOUT.apiPort}.new ${LAYOUT.apiPort}`
    requireSuccess(
      await userShell(connection).exec(script, { signal, timeoutMs: 20_000 }),
      'The link could not be written down on the machine.',
    )
    await this.#ensureServices(connection, signal)
    this.#connection = connection
    onUp()
    this.#set({ connected: true })
    this.#deps.logger.info('link up', { host: connection.host, port: relay.port })
    const ended = Promise.withResolvers<void>()
    const onEnd = () => ended.resolve()
    connection.closed.addEventListener('abort', onEnd, { once: true })
    signal.addEventListener('abort', onEnd, { once: true })
    if (signal.aborted || connection.closed.aborted) onEnd()
    await ended.promise
    signal.removeEventListener('abort', onEnd)
    if (connection.closed.aborted && !signal.aborted) this.#set({ connected: false, error: connection.closed.reason as FlotillaError })
  }

  /** Where there is no systemd nobody starts the services after a restart of the machine. Without root, that is left to a Retry. */
  async #ensureServices(connection: SshConnection, signal: AbortSignal): Promise<void> {
    const user = userShell(connection)
    const found = await user.exec(`[ -x ${LAYOUT.services} ] && ${LAYOUT.services} status`, { signal, timeoutMs: 20_000 })
    if (found.code !== 0 || !found.stdout.includes(' stopped')) return
    try {
      const root = await rootShell(connection, undefined, signal)
      requireSuccess(await root.exec(`${LAYOUT.services} start`, { signal, timeoutMs: 20_000 }), 'The services could not be started.')
    } catch (error) {
      if (connection.closed.aborted || signal.aborted) throw error
      this.#deps.logger.warn('services do not run and cannot be started', { host: connection.host, error })
    }
  }

  /** From the machine's loopback to the API server here. */
  #relay(stream: Duplex): void {
    const socket = connectTcp({ host: '127.0.0.1', port: this.#deps.apiPort(), noDelay: true, allowHalfOpen: true })
    stream.on('error', () => socket.destroy())
    socket.on('error', () => stream.destroy())
    stream.on('close', () => socket.destroy())
    socket.on('close', () => stream.destroy())
    stream.pipe(socket).pipe(stream)
  }

  #lastTick = 0

  #tick(): void {
    const now = this.#deps.clock.now()
    const slept = now - this.#lastTick > TICK_MS + SLEPT_MS
    this.#lastTick = now
    if (slept) this.poke()
  }

  async #probe(connection: SshConnection): Promise<void> {
    try {
      await connection.exec('exit 0', { timeoutMs: PROBE_MS })
    } catch {
      connection.destroy()
    }
  }

  #require(): SshConnection {
    if (this.#connection) return this.#connection
    throw (
      this.#state.error ??
      new FlotillaError('SSH_CONNECTION_LOST', {
        what: 'There is no connection to the machine.',
        why: 'It is being made.',
        next: 'Wait a moment, then try again.',
      })
    )
  }

  #set(next: { connected: boolean; error?: FlotillaError }): void {
    const before = this.#state
    if (before.connected === next.connected && before.error?.message === next.error?.message) return
    const since = before.connected === next.connected ? before.since : this.#deps.clock.now()
    this.#state = { ...next, since }
    this.#changes.emit(this.#state)
  }
}

function unexpected(error: unknown): FlotillaError {
  return new FlotillaError('INTERNAL', {
    what: 'The link to the machine failed.',
    why: `${messageOf(error)}.`,
    next: 'It is tried again by itself.',
    cause: error,
  })
}
