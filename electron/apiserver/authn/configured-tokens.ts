/** Tokens of whom the cluster's owner trusts: issuers, which may change while the server runs, and a webhook. */
import type { Clock } from '../../base/clock.ts'
import type { Logger } from '../../base/logger.ts'
import type { AuthenticationConfiguration } from './config/authentication-configuration.ts'
import { oidcTokens, type OidcTokens } from './oidc/oidc-tokens.ts'
import { cachedTokens } from './token-cache.ts'
import type { TokenAuthenticator } from './token-authenticator.ts'

/** How long a token of an issuer is not looked at again, in milliseconds; upstream has the same. */
const OIDC_CACHE = 10_000

export interface ConfiguredTokens extends Disposable {
  readonly authenticate: TokenAuthenticator
  /** Whether who shows nothing may come to this path without a name. */
  mayBeAnonymous(path: string | undefined): boolean
  /** Takes the place of what was configured before. */
  configure(configuration: AuthenticationConfiguration): void
}

export interface ConfiguredTokensOptions {
  /** Audiences of this API server. */
  readonly own: readonly string[]
  readonly webhook?: TokenAuthenticator
  readonly clock: Clock
  readonly logger: Logger
}

export function configuredTokens({ own, webhook, clock, logger }: ConfiguredTokensOptions): ConfiguredTokens {
  let issuers: OidcTokens | null = null
  let byIssuer: TokenAuthenticator = async () => null
  let anonymous: AuthenticationConfiguration['anonymous']
  return {
    async authenticate(token, audiences) {
      let failure: unknown = null
      try {
        const identity = await byIssuer(token, audiences)
        if (identity) return identity
      } catch (error) {
        failure = error
      }
      const identity = webhook ? await webhook(token, audiences) : null
      if (!identity && failure !== null) throw failure
      return identity
    },
    mayBeAnonymous(path) {
      if (!anonymous) return true
      return anonymous.enabled && (anonymous.paths.length === 0 || (path !== undefined && anonymous.paths.includes(path)))
    },
    configure(configuration) {
      const before = issuers
      issuers = oidcTokens({ configs: configuration.jwt, own, clock, logger })
      byIssuer = cachedTokens(issuers.authenticate, { known: OIDC_CACHE, unknown: 0, clock })
      anonymous = configuration.anonymous
      before?.[Symbol.dispose]()
    },
    [Symbol.dispose]: () => issuers?.[Symbol.dispose](),
  }
}
