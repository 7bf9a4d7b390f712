/**
 * The lasting SSH connection to one machine. It is made again by itself, and while it is up the machine's agent reaches the API
 * server through it, and the API server the agent. See docs/architecture.md, "Reaching a worker".
 */
import { connect as connectTcp } from 'node:net'
import type { Duplex } from 'node:stream'
import { sleep, type Clock } from '../../base/clock.ts'
import { FlotillaError, messageOf, type ErrorCode } from '../../base/errors.ts'
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
  /** How many attempts failed since it was connected last. */
  readonly attempts?: number
  /** Milliseconds since the epoch: when it is tried next, while it waits for that. */
  readonly nextAttempt?: number
}

export interface LinkDeps {
  readonly clock: Clock
  readonly random: Random
  readonly logger: Logger
  /** Port of the API server on this computer's loopback. */
  readonly apiPort: () => number
  connect(signal: AbortSignal): Promise<MachineConnection>
  /** Called on each connection before it counts as up; what it throws breaks the connection. */
  prepare?(connection: SshConnection, signal: AbortSignal): Promise<void>
}

/**
 * Keepalives of a link: after three that nobody answers, which is after 15 to 20 seconds of silence, the connection is given up. They
 * cost 2 packets of about 100 bytes each 5 seconds, and keep the entries of NAT routers and firewalls fresh, the shortest of which
 * last 30 seconds.
 */
export const LINK_KEEPALIVE = { intervalMs: 5000, count: 3 }
/**
 * The first attempts come fast. A machine that is off for minutes costs a few packets every 10 seconds; one that is off for hours,
 * or whose SSH server must not take these attempts for an attack, every minute.
 */
const BACKOFF = { firstMs: 250, mostMs: 10_000 }
const RARELY_MS = 60_000
const LONG_DOWN_MS = 600_000
/** Failures that time alone does not cure. */
const LASTING = new Set<ErrorCode>(['SSH_AUTH_FAILED', 'SSH_HOST_KEY_CHANGED', 'SSH_HOST_KEY_UNKNOWN', 'SSH_KEY_UNUSABLE'])
/** A connection that broke sooner was no good: the next attempt waits as if this one had failed. */
const STABLE_MS = 10_000
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
  readonly #backoff: Backoff
  #lastTick = { wall: 0, monotonic: 0 }

  constructor(deps: LinkDeps) {
    this.#deps = deps
    this.#backoff = new Backoff(deps.random, BACKOFF)
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
    const { clock } = this.#deps
    this.#lastTick = { wall: clock.now(), monotonic: clock.monotonic() }
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

  /**
   * There is reason to think that the network changed: an attempt that is under way, perhaps over a network that is gone, is begun anew,
   * the next ones come fast again, and a connection must show that it still answers.
   */
  poke(): void {
    this.#backoff.reset()
    this.#wake.abort(new DOMException('the network changed', 'AbortError'))
    const connection = this.#connection
    if (connection) void this.#probe(connection)
  }

  /** What it is connected to is not what it should be any more: makes the connection anew. */
  renew(): void {
    this.poke()
    this.#connection?.destroy()
  }

  async #run(signal: AbortSignal): Promise<void> {
    const { clock, logger } = this.#deps
    let attempts = 0
    while (!signal.aborted) {
      this.#wake = new AbortController()
      const woken = this.#wake.signal
      try {
        const upMs = await this.#connectOnce(signal, woken)
        attempts = 0
        if (upMs >= STABLE_MS) this.#backoff.reset()
      } catch (error) {
        if (signal.aborted) break
        if (woken.aborted) continue
        attempts++
        const coded = error instanceof FlotillaError ? error : unexpected(error)
        logger.info('link down', { code: coded.code, why: coded.why, attempts })
        this.#set({ connected: false, error: coded, attempts })
      }
      if (signal.aborted) break
      const wait = this.#backoff.next(this.#longestWait())
      this.#set({ ...this.#state, nextAttempt: clock.now() + wait })
      if (!woken.aborted) await sleep(clock, wait, AbortSignal.any([signal, woken])).catch(() => undefined)
    }
    this.#set({ connected: false })
  }

  #longestWait(): number {
    const { since, error } = this.#state
    const isLong = this.#deps.clock.now() - since > LONG_DOWN_MS
    return isLong || (error && LASTING.has(error.code)) ? RARELY_MS : BACKOFF.mostMs
  }

  /** Resolves when a connection that was up has ended, with how long it was, in milliseconds; rejects if it could not be made. */
  async #connectOnce(stopping: AbortSignal, woken: AbortSignal): Promise<number> {
    const { clock } = this.#deps
    const signal = AbortSignal.any([stopping, woken])
    const { connection } = await this.#deps.connect(signal)
    await using stack = new AsyncDisposableStack()
    stack.defer(async () => {
      this.#connection = null
      await connection[Symbol.asyncDispose]()
    })
    const relay = stack.use(await connection.listen((stream) => this.#relay(stream)))
    const script = `printf %s ${relay.port} > ${LAYOUT.apiPort}.new && mv -f ${LAYOUT.apiPort}.new ${LAYOUT.apiPort}`
    requireSuccess(
      await userShell(connection).exec(script, { signal, timeoutMs: 60_000 }),
      'The link could not be written down on the machine.',
    )
    await this.#ensureServices(connection, signal)
    await this.#deps.prepare?.(connection, signal)
    this.#connection = connection
    const begun = clock.monotonic()
    this.#set({ connected: true })
    this.#deps.logger.info('link up', { host: connection.host, port: relay.port })
    const ended = Promise.withResolvers<void>()
    const onEnd = () => ended.resolve()
    connection.closed.addEventListener('abort', onEnd, { once: true })
    stopping.addEventListener('abort', onEnd, { once: true })
    if (stopping.aborted || connection.closed.aborted) onEnd()
    await ended.promise
    stopping.removeEventListener('abort', onEnd)
    if (connection.closed.aborted && !stopping.aborted) this.#set({ connected: false, error: connection.closed.reason as FlotillaError })
    return clock.monotonic() - begun
  }

  /** Where there is no systemd nobody starts the services after a restart of the machine. Without root, that is left to a Retry. */
  async #ensureServices(connection: SshConnection, signal: AbortSignal): Promise<void> {
    const user = userShell(connection)
    const found = await user.exec(`[ -x ${LAYOUT.services} ] && ${LAYOUT.services} status`, { signal, timeoutMs: 60_000 })
    if (found.code !== 0 || !found.stdout.includes(' stopped')) return
    try {
      const root = await rootShell(connection, undefined, signal)
      requireSuccess(await root.exec(`${LAYOUT.services} start`, { signal, timeoutMs: 60_000 }), 'The services could not be started.')
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

  /** Whether sleep counts on the monotonic clock differs between systems; on one of the two it always does. */
  #tick(): void {
    const { clock } = this.#deps
    const before = this.#lastTick
    this.#lastTick = { wall: clock.now(), monotonic: clock.monotonic() }
    const passed = Math.max(this.#lastTick.wall - before.wall, this.#lastTick.monotonic - before.monotonic)
    if (passed > TICK_MS + SLEPT_MS) this.poke()
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

  #set(next: Omit<LinkState, 'since'>): void {
    const before = this.#state
    const isSame =
      before.connected === next.connected &&
      before.error?.message === next.error?.message &&
      before.attempts === next.attempts &&
      before.nextAttempt === next.nextAttempt
    if (isSame) return
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
