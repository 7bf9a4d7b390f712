/** Tokens of pods' service accounts, asked for once and renewed in time. Source: kubernetes `kubelet/token`. */
import { readFile } from 'node:fs/promises'
import type { Clock } from '../../../base/clock.ts'
import { messageOf } from '../../../base/errors.ts'
import type { Logger } from '../../../base/logger.ts'
import type { Random } from '../../../base/random.ts'
import { hasReason } from '../../../machinery/status.ts'
import { writeAtomically } from '../../checkpoint/atomic-file.ts'
import type { TokenRequest } from './payload.ts'

export interface IssuedToken {
  readonly token: string
  /** Milliseconds since the epoch. */
  readonly expiresAt: number
}

/** Asks the API server (authentication.k8s.io TokenRequest, bound to the pod). */
export type TokenIssuer = (request: TokenRequest) => Promise<IssuedToken>

interface Held extends IssuedToken {
  readonly issuedAt: number
  /** So that pods which were started together do not ask together. */
  readonly jitter: number
}

const DAY = 24 * 3_600_000
const JITTER = 10_000
/** Renewed when this part of its life is over. */
const FRESH = 0.8

export interface TokenCacheDeps {
  readonly clock: Clock
  readonly random: Random
  readonly logger: Logger
  /** Where a pod's tokens are kept, for a start without the API server. */
  readonly file: (uid: string) => string
}

export class TokenCache {
  readonly #issue: TokenIssuer
  readonly #deps: TokenCacheDeps
  /** By uid, then by what was asked for. */
  readonly #held = new Map<string, Map<string, Held>>()

  constructor(issue: TokenIssuer, deps: TokenCacheDeps) {
    this.#issue = issue
    this.#deps = deps
  }

  /** A token that will do for a while. If no new one can be had an old one does, even expired: the pod shall start all the same. */
  async get(request: TokenRequest): Promise<string> {
    const { pod, audience, expirationSeconds } = request
    const { uid } = pod.metadata
    const { clock, random, logger } = this.#deps
    const ofPod = await this.#ofPod(uid)
    const key = `${audience}/${expirationSeconds}`
    const held = ofPod.get(key)
    const now = clock.now()
    if (held && now < renewalOf(held)) return held.token
    try {
      const issued = await this.#issue(request)
      ofPod.set(key, { ...issued, issuedAt: now, jitter: random.float() * JITTER })
      await this.#save(uid, ofPod)
      return issued.token
    } catch (error) {
      if (!held || hasReason(error, 'NotFound', 'Forbidden', 'Invalid')) throw error
      logger.info('a token could not be renewed', { pod: uid, error: messageOf(error) })
      return held.token
    }
  }

  /** Uids of pods with a token that should be renewed by this time, in milliseconds since the epoch. */
  due(now: number): string[] {
    const old = this.#held.entries().filter(([, tokens]) => tokens.values().some((token) => renewalOf(token) <= now))
    return [...old].map(([uid]) => uid)
  }

  forget(uid: string): void {
    this.#held.delete(uid)
  }

  async #ofPod(uid: string): Promise<Map<string, Held>> {
    const known = this.#held.get(uid)
    if (known) return known
    const saved = await readFile(this.#deps.file(uid), 'utf8').then(
      (text) => Object.entries(JSON.parse(text) as Record<string, Held>),
      () => [],
    )
    // Another volume of the pod may have been first.
    const ofPod = this.#held.get(uid) ?? new Map(saved)
    this.#held.set(uid, ofPod)
    return ofPod
  }

  async #save(uid: string, tokens: ReadonlyMap<string, Held>): Promise<void> {
    try {
      await writeAtomically(this.#deps.file(uid), JSON.stringify(Object.fromEntries(tokens)), this.#deps.random)
    } catch (error) {
      this.#deps.logger.warn('the tokens of a pod cannot be saved', { pod: uid, error: messageOf(error) })
    }
  }
}

function renewalOf({ issuedAt, expiresAt, jitter }: Held): number {
  return Math.min(issuedAt + (expiresAt - issuedAt) * FRESH, issuedAt + DAY) - jitter
}
