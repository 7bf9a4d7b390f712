/**
 * Nodes whose certificate ran out while they were off, or whose clock or the control plane's was wrong by months: their agent says so in
 * a file, and gets a bootstrap token through the SSH link, which proves who the machine is.
 */
import type { Clock } from '../../base/clock.ts'
import { sleep } from '../../base/clock.ts'
import { component, type Component } from '../../base/lifecycle.ts'
import type { Logger } from '../../base/logger.ts'
import type { SshConnection } from '../ssh/connection.ts'
import { handToken, wantsToken } from './greeting.ts'

export interface RejoinDeps {
  readonly clock: Clock
  readonly logger: Logger
  readonly createToken: () => Promise<string>
  readonly deleteToken: (token: string) => Promise<void>
  /** null while the link is down. */
  readonly connection: () => SshConnection | null
  /** Whether the node is heard; one that is has its certificate. */
  readonly isReady: () => boolean
}

/** How often a machine is asked that is linked and whose node is silent. */
const ASK_MS = 30_000
const LOOK_MS = 2000
/** A token that nobody used by then is taken back, and another is made when it is asked for again. */
const PATIENCE_MS = 300_000

/** Looks after one machine. */
export class Rejoin implements Component {
  readonly #deps: RejoinDeps
  readonly #component: Component
  #running: Promise<void> | null = null
  #stopping: AbortSignal = AbortSignal.abort()

  constructor(deps: RejoinDeps) {
    this.#deps = deps
    this.#component = component((stack) => {
      const stopping = new AbortController()
      this.#stopping = stopping.signal
      stack.defer(async () => {
        stopping.abort(new DOMException('the machine is left alone', 'AbortError'))
        await this.#running
      })
      stack.use(deps.clock.setInterval(() => this.#ask(), ASK_MS, { unref: true }))
      return Promise.resolve()
    })
  }

  get state(): Component['state'] {
    return this.#component.state
  }

  start(signal?: AbortSignal): Promise<void> {
    return this.#component.start(signal)
  }

  [Symbol.asyncDispose](): Promise<void> {
    return Promise.resolve(this.#component[Symbol.asyncDispose]())
  }

  /** Its agent wants a token. */
  begin(): void {
    if (this.#stopping.aborted) return
    this.#running ??= this.#run(this.#stopping)
      .catch((error: unknown) => this.#deps.logger.warn('a machine could not join anew', { error }))
      .finally(() => {
        this.#running = null
      })
  }

  #ask(): void {
    const connection = this.#deps.connection()
    if (!connection || this.#running || this.#deps.isReady()) return
    wantsToken(connection, this.#stopping).then(
      (wants) => void (wants && this.begin()),
      () => undefined,
    )
  }

  async #run(signal: AbortSignal): Promise<void> {
    const { clock, logger, connection, createToken, deleteToken } = this.#deps
    const link = connection()
    if (!link) return
    const token = await createToken()
    try {
      await handToken(link, token, signal)
      logger.info('a machine whose certificate does not hold gets a token to join anew', {})
      for (const end = clock.monotonic() + PATIENCE_MS; clock.monotonic() < end; await sleep(clock, LOOK_MS, signal)) {
        const now = connection()
        if (!now || !(await wantsToken(now, signal))) return
      }
    } finally {
      await deleteToken(token)
    }
  }
}
