/** Tokens of pods' service accounts, asked for once and renewed in time. Source: kubernetes `kubelet/token`. */
import type { Clock } from '../../../base/clock.ts'
import type { Random } from '../../../base/random.ts'
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

export class TokenCache {
  readonly #issue: TokenIssuer
  readonly #clock: Clock
  readonly #random: Random
  readonly #held = new Map<string, Map<string, Held>>()

  constructor(issue: TokenIssuer, deps: { clock: Clock; random: Random }) {
    this.#issue = issue
    this.#clock = deps.clock
    this.#random = deps.random
  }

  /** A token that will do for a while; an old one that has not expired if no new one can be had. */
  async get(request: TokenRequest): Promise<string> {
    const { pod, audience, expirationSeconds } = request
    const ofPod = this.#held.get(pod.metadata.uid) ?? new Map<string, Held>()
    const key = `${audience}/${expirationSeconds}`
    const held = ofPod.get(key)
    const now = this.#clock.now()
    if (held && now < renewalOf(held)) return held.token
    try {
      const issued = await this.#issue(request)
      ofPod.set(key, { ...issued, issuedAt: now, jitter: this.#random.float() * JITTER })
      this.#held.set(pod.metadata.uid, ofPod)
      return issued.token
    } catch (error) {
      if (held && now < held.expiresAt) return held.token
      throw error
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
}

function renewalOf({ issuedAt, expiresAt, jitter }: Held): number {
  return Math.min(issuedAt + (expiresAt - issuedAt) * FRESH, issuedAt + DAY) - jitter
}
