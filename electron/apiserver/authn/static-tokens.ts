import { timingSafeEqual, createHash } from 'node:crypto'
import type { UserInfo } from '../types.ts'
import type { TokenAuthenticator } from './token-authenticator.ts'

/** Tokens that the control plane gives out itself, for this API server only. */
export function staticTokens(tokens: ReadonlyMap<string, UserInfo>, own: readonly string[]): TokenAuthenticator {
  const digest = (text: string) => createHash('sha256').update(text).digest()
  const known = [...tokens].map(([token, user]) => ({ hash: digest(token), user }))
  return async (token, audiences) => {
    const wanted = audiences.filter((one) => own.includes(one))
    if (!known.length || !wanted.length) return null
    const hash = digest(token)
    const found = known.find((one) => timingSafeEqual(one.hash, hash))
    return found ? { user: found.user, audiences: wanted } : null
  }
}
