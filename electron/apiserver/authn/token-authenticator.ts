import type { UserInfo } from '../types.ts'

export interface TokenIdentity {
  readonly user: UserInfo
  /** Those of the wanted audiences that the token is for. */
  readonly audiences: readonly string[]
}

/**
 * Says whose bearer token it is, for at least one of these audiences; null if it is not of a kind that this authenticator knows.
 * Throws Error, whose message is for the log and for TokenReview, if it is but does not hold.
 */
export type TokenAuthenticator = (token: string, audiences: readonly string[]) => Promise<TokenIdentity | null>
