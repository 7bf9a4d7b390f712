/** One SSH connection to a machine. Source: RFC 4251 to 4254, and OpenSSH's PROTOCOL file. */
import type { Socket } from 'node:net'
import type { Duplex } from 'node:stream'
import ssh2, { type Client, type ClientChannel } from 'ssh2'
import { sleep, type Clock } from '../../base/clock.ts'
import { FlotillaError, messageOf, systemCode } from '../../base/errors.ts'
import { systemRandom, type Random } from '../../base/random.ts'
import { askAlgorithms, DEFAULT_ALGORITHMS, noCommonAlgorithm, type Algorithms } from './algorithms.ts'
import { Authentication, type SignIn } from './auth.ts'
import { channelDuplex } from './channel.ts'
import {
  byCommand,
  Greeting,
  HandshakeFailed,
  handshakeError,
  hostKeyChanged,
  lostDuringHandshake,
  placeOf,
  turnedAway,
} from './handshake.ts'
import { hostKeyAlgorithms, publicKey, sameKey, type PublicKey } from './host-key.ts'
import { driveProcess, runProcess, type ExecOptions, type ExecResult } from './exec.ts'
import { openSocket, type Address } from './socket.ts'
import { Sessions } from './sessions.ts'
import { openShell, type ShellSession, type TerminalSize } from './shell.ts'

export interface ConnectOptions extends Address {
  readonly user: string
  readonly signIn: SignIn
  /** The keys that the host may show; the connection is refused before sign-in if it shows another. */
  readonly hostKeys: readonly PublicKey[]
  /** A signed-in connection to go through. It must outlive this one. */
  readonly via?: SshConnection | undefined
  /** Makes the way to the host, instead of TCP: a ProxyCommand. */
  readonly transport?: ((signal: AbortSignal | undefined) => Promise<Duplex>) | undefined
  /** Absent: the usual ones. */
  readonly algorithms?: Algorithms | undefined
  readonly clock: Clock
  readonly signal?: AbortSignal | undefined
  /** Milliseconds for each of reaching the host, and shaking hands and signing in. */
  readonly timeoutMs?: number
  /** Milliseconds between keepalives, and how many may go unanswered. */
  readonly keepAlive?: { readonly intervalMs: number; readonly count: number }
  /** Absent: the operating system's. */
  readonly random?: Random
}

/** Something listens on the machine's loopback for us. */
export interface ReverseForward {
  /** The port that sshd chose. */
  readonly port: number
}

type Start<T> = (done: (error: Error | undefined, value: T) => void) => void

const DEFAULT_TIMEOUT = 15_000
const DEFAULT_KEEPALIVE = { intervalMs: 15_000, count: 4 }

/** A host that limits how many sign in at once (MaxStartups) turns some away before a word: they try again after these milliseconds. */
const TURNED_AWAY_WAITS = [300, 700, 1500, 3000]

/**
 * Connects, checks the host's key and signs in. Throws FlotillaError: SSH_HOST_UNKNOWN, SSH_UNREACHABLE, SSH_HOST_KEY_CHANGED,
 * SSH_AUTH_FAILED, SSH_CONNECTION_LOST; or the signal's reason.
 */
export async function connect(options: ConnectOptions): Promise<SshConnection> {
  for (const wait of TURNED_AWAY_WAITS) {
    try {
      return await connectOnce(options)
    } catch (error) {
      if (!(error instanceof TurnedAway)) throw error
    }
    // Those who were turned away together come back apart.
    await sleep(options.clock, wait * (0.5 + (options.random ?? systemRandom).float()), options.signal)
  }
  try {
    return await connectOnce(options)
  } catch (error) {
    throw error instanceof TurnedAway ? turnedAway(options, TURNED_AWAY_WAITS.length + 1) : error
  }
}

/** The host closed the connection before it said what it is. */
class TurnedAway extends Error {}

async function connectOnce(options: ConnectOptions): Promise<SshConnection> {
  const socket = await openTransport(options)
  const client = new ssh2.Client()
  const auth = new Authentication(options.user, options.signIn)
  const keepAlive = options.keepAlive ?? DEFAULT_KEEPALIVE
  const algorithms = options.algorithms ?? DEFAULT_ALGORITHMS
  const greeting = new Greeting(socket)
  let refused: FlotillaError | null = null
  let hostKey: PublicKey | null = null
  try {
    await new Promise<void>((resolve, reject) => {
      const onAbort = () => reject(options.signal?.reason as Error)
      options.signal?.addEventListener('abort', onAbort, { once: true })
      client.on('ready', () => {
        options.signal?.removeEventListener('abort', onAbort)
        resolve()
      })
      client.on('error', (error: Error & { level?: string }) => {
        // A broken agent is no reason to stop: the next way to sign in is tried.
        if (error.level === 'agent') return
        if (greeting.silent && options.transport) reject(byCommand(options, error))
        else if (greeting.silent && error.level !== 'client-timeout') reject(new TurnedAway(error.message, { cause: error }))
        else reject(refused ?? handshakeError(options, auth, error))
      })
      client.on('change password', () => {
        auth.passwordExpired()
        reject(auth.failure(placeOf(options)))
      })
      client.on('close', () =>
        reject(refused ?? (greeting.silent ? new TurnedAway('it closed the connection') : lostDuringHandshake(options))),
      )
      client.connect({
        sock: socket,
        username: options.user,
        authHandler: auth.handler as never,
        hostVerifier: (blob: Buffer) => {
          const shown = publicKey(blob)
          hostKey = shown
          if (options.hostKeys.some((key) => sameKey(key, shown))) return true
          refused = hostKeyChanged(options, options.hostKeys, shown)
          return false
        },
        algorithms: {
          kex: algorithms.kex,
          cipher: algorithms.cipher,
          hmac: algorithms.mac,
          serverHostKey: hostKeyAlgorithms(
            options.hostKeys.map((key) => key.type),
            algorithms.hostKey,
          ),
        } as never,
        readyTimeout: options.timeoutMs ?? DEFAULT_TIMEOUT,
        keepaliveInterval: keepAlive.intervalMs,
        keepaliveCountMax: keepAlive.count,
      })
    })
  } catch (error) {
    client.on('error', () => undefined)
    client.destroy()
    socket.destroy()
    if (error instanceof HandshakeFailed) throw await explainHandshake(options, algorithms, error)
    throw error
  }
  if (!hostKey) throw new Error('a host was connected to that showed no key')
  return new SshConnection(client, options, hostKey, socket)
}

/** A TCP connection, or a channel through the jump host. */
async function openTransport(options: ConnectOptions): Promise<Duplex> {
  const { clock, signal, via, transport } = options
  if (transport) return await transport(signal)
  if (!via) return openSocket(options, { clock, timeoutMs: options.timeoutMs ?? DEFAULT_TIMEOUT, ...(signal ? { signal } : {}) })
  try {
    return await via.dial(options.host, options.port, signal)
  } catch (error) {
    signal?.throwIfAborted()
    if (error instanceof FlotillaError && error.code === 'SSH_CONNECTION_LOST') throw error
    throw new FlotillaError('SSH_UNREACHABLE', {
      what: `Could not reach ${options.host} on port ${options.port} through ${via.host}.`,
      why: `The jump host said: ${messageOf(error)}.`,
      next: 'Check the address as the jump host sees it, and that it allows forwarding.',
      cause: error,
    })
  }
}

/** Asks the host again what it offers: ssh2 says that nothing matches, but not what. */
async function explainHandshake(options: ConnectOptions, algorithms: Algorithms, failed: HandshakeFailed): Promise<FlotillaError> {
  const where = placeOf(options)
  if (/no matching/i.test(failed.message)) {
    const stream = await openTransport(options).catch(() => null)
    const theirs = stream && (await askAlgorithms(stream, options.clock, options.timeoutMs ?? DEFAULT_TIMEOUT))
    const error = theirs && noCommonAlgorithm(where, algorithms, theirs)
    if (error) return error
  }
  return new FlotillaError('SSH_UNREACHABLE', {
    what: `${where} does not speak SSH as it should.`,
    why: `${failed.message}.`,
    next: 'Check that the port is the SSH server, and that the server is not too old.',
    cause: failed.cause,
  })
}

/** Bytes that went over the network for a connection, its encryption included. */
export interface Traffic {
  readonly sent: number
  readonly received: number
}

export class SshConnection implements AsyncDisposable {
  readonly host: string
  readonly port: number
  readonly user: string
  /** The one that the host showed. */
  readonly hostKey: PublicKey
  readonly #client: Client
  readonly #closed = new AbortController()
  readonly #gone = Promise.withResolvers<void>()
  readonly #clock: Clock
  readonly #listeners = new Map<number, (stream: Duplex) => void>()
  readonly #sessions: Sessions
  readonly #transport: Duplex
  readonly #via: SshConnection | undefined
  #ending = false

  constructor(client: Client, options: ConnectOptions, hostKey: PublicKey, transport: Duplex) {
    this.#client = client
    this.#transport = transport
    this.#via = options.via
    this.#sessions = new Sessions(options.clock)
    this.hostKey = hostKey
    this.#clock = options.clock
    this.host = options.host
    this.port = options.port
    this.user = options.user
    let cause: unknown
    client.removeAllListeners('error')
    client.removeAllListeners('close')
    client.on('error', (error) => {
      cause = error
    })
    client.on('close', () => {
      this.#closed.abort(this.#lost(cause))
      this.#gone.resolve()
    })
    client.on('tcp connection', (details, accept, reject) => {
      const listener = this.#listeners.get(details.destPort)
      if (listener) listener(channelDuplex(accept(), () => this.#reason()))
      else reject()
    })
  }

  /** Aborts with SSH_CONNECTION_LOST when the connection is gone for any reason. */
  get closed(): AbortSignal {
    return this.#closed.signal
  }

  /** Of this connection so far, or of the first one on the way to it. */
  get traffic(): Traffic {
    if (this.#via) return this.#via.traffic
    const { bytesWritten = 0, bytesRead = 0 } = this.#transport as Partial<Socket>
    return { sent: bytesWritten, received: bytesRead }
  }

  /** Runs a command in the user's login shell; see `exec.ts`. Where the host has no room for another session, it waits for one. */
  async exec(command: string, options: ExecOptions = {}): Promise<ExecResult> {
    return await runProcess(command, options, this.#clock, ({ signal }) =>
      this.#sessions.open(
        (opened) =>
          this.#open(
            (done) => this.#client.exec(command, done),
            (channel) => {
              opened(channel)
              return driveProcess(channel, { ...options, signal }, () => this.#reason())
            },
          ),
        signal,
      ),
    )
  }

  /** A login shell: in a terminal of a size, or with null between pipes. */
  async shell(size: TerminalSize | null, signal?: AbortSignal): Promise<ShellSession> {
    signal?.throwIfAborted()
    return await this.#sessions.open(
      (opened) =>
        this.#open(
          (done) => this.#client.shell(size === null ? false : { term: 'xterm-256color', ...size, width: 0, height: 0 }, done),
          (channel) => {
            opened(channel)
            return openShell(channel, () => this.#reason(), signal)
          },
        ),
      signal,
    )
  }

  /** A TCP connection from the machine to a port it can reach. Rejects with what sshd says ("Connection refused"). */
  async dial(host: string, port: number, signal?: AbortSignal): Promise<Duplex> {
    return await this.#duplex((done) => this.#client.forwardOut('127.0.0.1', 0, host, port, done), signal)
  }

  /** A connection from the machine to a unix socket on it. */
  async dialSocket(path: string, signal?: AbortSignal): Promise<Duplex> {
    return await this.#duplex((done) => this.#client.openssh_forwardOutStreamLocal(path, done), signal)
  }

  /** Lets sshd listen on a port of its choice on the machine's 127.0.0.1, and hands each connection to `accept`. */
  async listen(accept: (stream: Duplex) => void): Promise<ReverseForward & AsyncDisposable> {
    const port = await this.#request<number>(
      (done) => this.#client.forwardIn('127.0.0.1', 0, done),
      (chosen) => {
        this.#listeners.set(chosen, accept)
        return chosen
      },
    )
    return {
      port,
      [Symbol.asyncDispose]: async () => {
        this.#listeners.delete(port)
        if (!this.#closed.signal.aborted)
          await new Promise<void>((resolve) => void this.#client.unforwardIn('127.0.0.1', port, () => resolve()))
      },
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    if (this.#closed.signal.aborted) return
    this.#ending = true
    this.#client.end()
    const force = this.#clock.setTimeout(() => this.#client.destroy(), 1000)
    await this.#gone.promise
    force[Symbol.dispose]()
  }

  /** Gives the connection up without a word, as when the peer is known to be gone. */
  destroy(): void {
    this.#ending = true
    this.#client.destroy()
  }

  async #duplex(start: Start<ClientChannel>, signal: AbortSignal | undefined): Promise<Duplex> {
    signal?.throwIfAborted()
    const duplex = await this.#open(start, (channel) => channelDuplex(channel, () => this.#reason()))
    if (!signal) return duplex
    const onAbort = () => duplex.destroy(signal.reason as Error)
    if (signal.aborted) {
      duplex.on('error', () => undefined)
      onAbort()
      throw signal.reason as Error
    }
    signal.addEventListener('abort', onAbort, { once: true })
    duplex.once('close', () => signal.removeEventListener('abort', onAbort))
    return duplex
  }

  /** `use` is called as soon as the channel is open: what it hears of may come in the same packet. */
  #open<T>(start: Start<ClientChannel>, use: (channel: ClientChannel) => T | Promise<T>): Promise<T> {
    return this.#request(start, use)
  }

  #request<T, R = T>(start: Start<T>, use: (value: T) => R | Promise<R>): Promise<R> {
    return new Promise((resolve, reject) => {
      const fail = (error: unknown) => reject(this.#reason() ?? error)
      if (this.#closed.signal.aborted) return fail(null)
      try {
        start((error, value) => (error ? fail(error) : resolve(use(value))))
      } catch (error) {
        fail(this.#lost(error))
      }
    })
  }

  #reason(): FlotillaError | null {
    return this.#closed.signal.aborted ? (this.#closed.signal.reason as FlotillaError) : null
  }

  #lost(cause: unknown): FlotillaError {
    return new FlotillaError('SSH_CONNECTION_LOST', {
      what: `The connection to ${this.host} ${this.#ending ? 'was closed' : 'broke'}.`,
      why: this.#ending
        ? 'Flotilla closed it.'
        : cause === undefined || ['ECONNRESET', 'EPIPE'].includes(systemCode(cause) ?? '')
          ? 'The host or the network ended it.'
          : /keepalive/i.test(messageOf(cause))
            ? 'The host stopped answering.'
            : `${messageOf(cause)}.`,
      next: 'Check the network and that the machine is up, then try again.',
      cause,
    })
  }
}
