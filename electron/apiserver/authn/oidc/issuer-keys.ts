/**
 * The keys of an issuer: found through its discovery document, kept, and fetched anew when a token names one that is not known, and when
 * they are old. Who cannot be reached is asked again after a growing wait; meanwhile the keys that are known hold.
 * Source: OpenID Connect Discovery 1.0, RFC 7517.
 */
import { createLocalJWKSet, type JSONWebKeySet } from 'jose'
import { deadline, type Clock } from '../../../base/clock.ts'
import { messageOf } from '../../../base/errors.ts'
import type { Logger } from '../../../base/logger.ts'
import { Backoff } from '../../../machinery/backoff.ts'
import { isObject } from '../../../machinery/json-value.ts'

export type KeySet = ReturnType<typeof createLocalJWKSet>

/** All in milliseconds. */
const TIMEOUT = 10_000
const WAITS = { initial: 1000, max: 60_000 }
/** Keys are looked at again so often while tokens come, so that what was withdrawn stops to hold. */
const FRESH = 10 * 60_000
/** Tokens with made-up key ids must not make us ask the issuer each time. */
const UNKNOWN_WAIT = 10_000

export interface IssuerKeysOptions {
  readonly url: string
  readonly discoveryUrl?: string
  readonly getJson: (url: string, signal: AbortSignal) => Promise<unknown>
  readonly clock: Clock
  readonly logger: Logger
}

export class IssuerKeys implements Disposable {
  readonly #options: IssuerKeysOptions
  readonly #backoff = new Backoff(WAITS)
  readonly #stopping = new AbortController()
  #keys: KeySet | null = null
  #jwksUri: string | null = null
  #fetchedAt = 0
  #waitUntil = 0
  #failure: Error | null = null
  #running: Promise<void> | null = null

  constructor(options: IssuerKeysOptions) {
    this.#options = options
  }

  /** Begins to fetch; does not wait, and does not fail. */
  prepare(): void {
    void this.#fetch()
  }

  /** The keys there are. Throws Error if there are none yet. */
  async get(): Promise<KeySet> {
    const { clock } = this.#options
    if (!this.#keys) await this.#fetch()
    else if (clock.monotonic() - this.#fetchedAt > FRESH) void this.#fetch()
    if (this.#keys) return this.#keys
    throw new Error(`the keys of the issuer ${this.#options.url} are not known: ${this.#failure?.message ?? 'it was not asked yet'}`)
  }

  /** The keys after a token named one that was not among them; null if it is too early to ask again. */
  async again(): Promise<KeySet | null> {
    if (this.#options.clock.monotonic() - this.#fetchedAt < UNKNOWN_WAIT) return null
    const before = this.#keys
    await this.#fetch()
    return this.#keys === before ? null : this.#keys
  }

  [Symbol.dispose](): void {
    this.#stopping.abort(new DOMException('stopped', 'AbortError'))
  }

  /** One fetch at a time; none while there is to be waited. */
  #fetch(): Promise<void> {
    if (this.#running) return this.#running
    if (this.#stopping.signal.aborted || this.#options.clock.monotonic() < this.#waitUntil) return Promise.resolve()
    this.#running = this.#attempt().finally(() => (this.#running = null))
    return this.#running
  }

  async #attempt(): Promise<void> {
    const { url, clock, logger } = this.#options
    using limit = deadline(clock, TIMEOUT, this.#stopping.signal)
    try {
      const uri = this.#jwksUri ?? (await this.#discover(limit.signal))
      const keys = await this.#options.getJson(uri, limit.signal)
      if (!isObject(keys) || !Array.isArray(keys['keys'])) throw new Error(`what is at ${uri} is no set of keys`)
      this.#keys = createLocalJWKSet(keys as unknown as JSONWebKeySet)
      this.#jwksUri = uri
      this.#fetchedAt = clock.monotonic()
      this.#failure = null
      this.#backoff.reset()
    } catch (error) {
      if (this.#stopping.signal.aborted) return
      const wait = this.#backoff.next()
      this.#waitUntil = clock.monotonic() + wait
      this.#failure = error instanceof Error ? error : new Error(messageOf(error))
      // The document may name another place next time.
      this.#jwksUri = null
      logger.warn("the keys of a tokens' issuer could not be fetched", { issuer: url, why: messageOf(error), retryAfterMs: wait })
    }
  }

  async #discover(signal: AbortSignal): Promise<string> {
    const { url, discoveryUrl, getJson } = this.#options
    const at = discoveryUrl ?? `${url.replace(/\/$/, '')}/.well-known/openid-configuration`
    const document = await getJson(at, signal)
    if (!isObject(document)) throw new Error(`what is at ${at} is no discovery document`)
    const { issuer, jwks_uri: uri } = document
    if (issuer !== url) throw new Error(`the issuer did not match: the discovery document says ${JSON.stringify(issuer ?? '')}`)
    if (typeof uri !== 'string' || !URL.canParse(uri) || new URL(uri).protocol !== 'https:')
      throw new Error('the discovery document names no jwks_uri of https')
    return uri
  }
}
