import { createHash } from 'node:crypto'
import type { Clock } from '../../base/clock.ts'
import type { TokenAuthenticator, TokenIdentity } from './token-authenticator.ts'

const REMEMBERED = 4096

export interface TokenCacheOptions {
  /** How long a token that holds is not asked about again, and one that nobody knows; in milliseconds, 0: not at all. */
  readonly known: number
  readonly unknown: number
  readonly clock: Clock
}

/** Remembers answers by the tokens' hashes; tokens themselves are not kept. What threw is asked again. Requests for one token share an answer. */
export function cachedTokens(authenticate: TokenAuthenticator, { known, unknown, clock }: TokenCacheOptions): TokenAuthenticator {
  const answers = new Map<string, { readonly identity: TokenIdentity | null; readonly until: number }>()
  const running = new Map<string, Promise<TokenIdentity | null>>()
  const ask = async (key: string, token: string, audiences: readonly string[]) => {
    const identity = await authenticate(token, audiences)
    const lasts = identity ? known : unknown
    if (lasts > 0) {
      if (answers.size >= REMEMBERED) answers.delete(String(answers.keys().next().value))
      answers.set(key, { identity, until: clock.monotonic() + lasts })
    }
    return identity
  }
  return (token, audiences) => {
    const key = createHash('sha256')
      .update(JSON.stringify([token, audiences]))
      .digest('base64')
    const answer = answers.get(key)
    if (answer && clock.monotonic() < answer.until) return Promise.resolve(answer.identity)
    answers.delete(key)
    const shared = running.get(key)
    if (shared) return shared
    const asked = ask(key, token, audiences).finally(() => running.delete(key))
    running.set(key, asked)
    return asked
  }
}
