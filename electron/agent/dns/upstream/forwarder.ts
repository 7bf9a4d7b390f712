/** Answers to what is not the cluster's: from the machine's own name servers. */
import type { Clock } from '../../../base/clock.ts'
import { messageOf } from '../../../base/errors.ts'
import type { Logger } from '../../../base/logger.ts'
import type { Random } from '../../../base/random.ts'
import { RCODE, rcodeName } from '../wire/constants.ts'
import type { Response } from '../wire/response.ts'
import { AnswerCache, type CachedAnswer } from './answer-cache.ts'
import { exchangeTcp, exchangeUdp, type Server } from './exchange.ts'
import type { HostResolvers } from './host-resolvers.ts'
import { keyOf, upstreamQuery, type Question } from './question.ts'
import { race } from './race.ts'

export interface ForwarderDeps {
  readonly resolvers: Pick<HostResolvers, 'servers' | 'changed'>
  /** Where they listen. */
  readonly port: number
  readonly clock: Clock
  readonly random: Random
  readonly logger: Logger
}

/** Milliseconds. Stub resolvers give up after 5 seconds by default: who asks shall have heard of a failure by then. */
const LIMIT = 4500
/** Milliseconds; some clients (c-ares) give up after a second where they are used to quick answers. */
const PATIENCE = 500
/** Milliseconds for which a server that did not answer comes after the others. */
const AVOID = 30_000
const CACHE = { entries: 10_000, bytes: 16 << 20 }
/** Different questions under way, so that a flood of them cannot take all file descriptors. */
const MOST_OPEN = 512
/** Failures are told once in so long. */
const TELL_EVERY = 60_000

export class Forwarder implements Disposable {
  readonly #deps: ForwarderDeps
  readonly #cache: AnswerCache
  readonly #open = new Map<string, Promise<Response | null>>()
  /** Until when, by address. */
  readonly #avoided = new Map<string, number>()
  readonly #stopping = new AbortController()
  readonly #listening: Disposable
  #toldAt = Number.NEGATIVE_INFINITY

  constructor(deps: ForwarderDeps) {
    this.#deps = deps
    this.#cache = new AnswerCache(() => deps.clock.monotonic() / 1000, CACHE)
    // Other servers may know other names: the machine is in another network.
    this.#listening = deps.resolvers.changed.on(() => {
      this.#cache.clear()
      this.#avoided.clear()
    })
  }

  /** Null if no server has an answer. Questions that are the same are asked once, also when a server asks back in circles. */
  async ask(question: Question): Promise<CachedAnswer | null> {
    const key = keyOf(question)
    const cached = this.#cache.get(key)
    if (cached) return cached
    let asking = this.#open.get(key)
    if (!asking) {
      if (this.#open.size >= MOST_OPEN) return null
      asking = this.#resolve(key, question).finally(() => this.#open.delete(key))
      this.#open.set(key, asking)
    }
    const response = await asking
    return response && { response, age: 0 }
  }

  [Symbol.dispose](): void {
    this.#listening[Symbol.dispose]()
    this.#stopping.abort(new DOMException('stopped', 'AbortError'))
  }

  async #resolve(key: string, question: Question): Promise<Response | null> {
    const { clock, resolvers, port } = this.#deps
    const { servers } = resolvers
    try {
      const response = await race<string, Response>({
        servers: this.#ordered(servers),
        ask: (address, signal) => this.#askServer({ address, port }, question, signal),
        onSlow: (address) => this.#avoided.set(address, clock.monotonic() + AVOID),
        ...{ clock, patience: PATIENCE, limit: LIMIT, signal: this.#stopping.signal },
      })
      if (resolvers.servers === servers) this.#cache.put(key, response)
      return response
    } catch (error) {
      this.#tell(servers, error)
      return null
    }
  }

  async #askServer(server: Server, question: Question, signal: AbortSignal): Promise<Response> {
    let query = upstreamQuery(question, this.#deps.random, true)
    let response = await exchangeUdp(server, query, signal)
    if (response.rcode === RCODE.FORMERR || response.rcode === RCODE.NOTIMP) {
      query = upstreamQuery(question, this.#deps.random, false)
      response = await exchangeUdp(server, query, signal)
    }
    if (response.truncated) {
      const udp = response
      response = await exchangeTcp(server, query, signal).catch((error: unknown) => {
        if (signal.aborted) throw error
        return udp
      })
    }
    if (response.rcode !== RCODE.NOERROR && response.rcode !== RCODE.NXDOMAIN) {
      throw new Error(`${server.address} answered ${rcodeName(response.rcode)}`)
    }
    this.#avoided.delete(server.address)
    return response
  }

  #ordered(servers: readonly string[]): readonly string[] {
    const now = this.#deps.clock.monotonic()
    const avoided = (address: string) => Number((this.#avoided.get(address) ?? 0) > now)
    return servers.toSorted((a, b) => avoided(a) - avoided(b))
  }

  #tell(servers: readonly string[], error: unknown): void {
    const { clock, logger } = this.#deps
    if (this.#stopping.signal.aborted || clock.monotonic() - this.#toldAt < TELL_EVERY) return
    this.#toldAt = clock.monotonic()
    logger.info('no name server of this machine answered', { servers, error: messageOf(error) })
  }
}
