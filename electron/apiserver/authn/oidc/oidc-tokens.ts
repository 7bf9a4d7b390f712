/** Tokens of OpenID Connect issuers: signature, issuer, audience and time, then the user that their claims stand for. */
import { decodeProtectedHeader, errors as joseErrors, jwtVerify, type JWTPayload, type JWTVerifyOptions } from 'jose'
import type { Clock } from '../../../base/clock.ts'
import type { Logger } from '../../../base/logger.ts'
import type { JwtConfig } from '../config/authentication-configuration.ts'
import type { TokenAuthenticator } from '../token-authenticator.ts'
import { IssuerKeys, type KeySet } from './issuer-keys.ts'
import { getJson } from './json-get.ts'
import { userOfClaims } from './user-of-claims.ts'

/** How far an issuer's clock may be ahead, in seconds; the end of a token is not moved by it. */
const NOT_BEFORE_LEEWAY = 300

export interface OidcTokensOptions {
  readonly configs: readonly JwtConfig[]
  /** Audiences of this API server. */
  readonly own: readonly string[]
  readonly clock: Clock
  readonly logger: Logger
  /** By default over HTTPS. */
  readonly getJson?: typeof getJson
}

export interface OidcTokens extends Disposable {
  readonly authenticate: TokenAuthenticator
}

/** Begins to fetch the issuers' keys. An issuer that is away makes its own tokens fail, and nobody else's. */
export function oidcTokens({ configs, own, clock, logger, getJson: get = getJson }: OidcTokensOptions): OidcTokens {
  using undo = new DisposableStack()
  const issuers = new Map(
    configs.map((config) => {
      const { url, discoveryUrl, certificateAuthority } = config
      const keys = undo.use(
        new IssuerKeys({
          ...{ url, clock, logger },
          ...(discoveryUrl ? { discoveryUrl } : {}),
          getJson: (from, signal) => get(from, certificateAuthority, signal),
        }),
      )
      keys.prepare()
      return [url, { config, keys }] as const
    }),
  )
  const all = undo.move()
  return {
    async authenticate(token, audiences) {
      const wanted = audiences.filter((one) => own.includes(one))
      const issuer = issuers.get(issuerOf(token))
      if (!issuer || wanted.length === 0) return null
      const { config, keys } = issuer
      const claims = await verified(token, keys, {
        issuer: config.url,
        audience: [...config.audiences],
        algorithms: [...config.algorithms],
        currentDate: new Date(clock.now()),
        clockTolerance: NOT_BEFORE_LEEWAY,
        requiredClaims: ['exp'],
      })
      if ((claims.exp ?? 0) * 1000 <= clock.now()) throw new Error('oidc: verify token: the token has expired')
      return { user: userOfClaims(config, claims), audiences: wanted }
    },
    [Symbol.dispose]: () => all.dispose(),
  }
}

async function verified(token: string, keys: IssuerKeys, options: JWTVerifyOptions): Promise<JWTPayload> {
  try {
    try {
      return await withSet(token, await keys.get(), options)
    } catch (error) {
      const unknown =
        error instanceof joseErrors.JWKSNoMatchingKey || (error instanceof joseErrors.JWSSignatureVerificationFailed && !hasKeyId(token))
      const newer = unknown ? await keys.again() : null
      if (!newer) throw error
      return await withSet(token, newer, options)
    }
  } catch (error) {
    if (error instanceof joseErrors.JOSEError) throw new Error(`oidc: verify token: ${error.message}`, { cause: error })
    throw error
  }
}

/** A token that does not say which key it is from may be from any. */
async function withSet(token: string, keys: KeySet, options: JWTVerifyOptions): Promise<JWTPayload> {
  try {
    return (await jwtVerify(token, keys, options)).payload
  } catch (error) {
    if (!(error instanceof joseErrors.JWKSMultipleMatchingKeys)) throw error
    let failure: unknown = error
    for await (const key of error) {
      try {
        return (await jwtVerify(token, key, options)).payload
      } catch (next) {
        failure = next
        if (!(next instanceof joseErrors.JWSSignatureVerificationFailed)) throw next
      }
    }
    throw failure
  }
}

function hasKeyId(token: string): boolean {
  try {
    return decodeProtectedHeader(token).kid !== undefined
  } catch {
    return false
  }
}

/** The issuer that a JWT names, before anything in it is believed; "" if it is none. */
function issuerOf(token: string): string {
  const [, payload, signature, ...rest] = token.split('.')
  if (!payload || !signature || rest.length > 0) return ''
  try {
    const { iss } = JSON.parse(Buffer.from(payload, 'base64url').toString('utf8')) as { iss?: unknown }
    return typeof iss === 'string' ? iss : ''
  } catch {
    return ''
  }
}
