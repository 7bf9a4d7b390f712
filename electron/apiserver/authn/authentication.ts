import type { TokenReview, UserInfo as UserInfoV1 } from '../../api/authentication/v1/types.gen.ts'
import { required } from '../../api/values/field-error.ts'
import type { Clock } from '../../base/clock.ts'
import { messageOf } from '../../base/errors.ts'
import type { Logger } from '../../base/logger.ts'
import type { Random } from '../../base/random.ts'
import type { Client } from '../../client/client.ts'
import { invalidObject, unauthorized } from '../../machinery/status.ts'
import type { SigningKeys } from '../pki/pki.ts'
import type { ApiRequest, Authenticator, Authorizer, RequestHandler, Responder, UserInfo } from '../types.ts'
import { bootstrapTokens } from './bootstrap-tokens.ts'
import type { ConfiguredTokens } from './configured-tokens.ts'
import { impersonate } from './impersonation.ts'
import { issuerDiscovery } from './issuer-discovery.ts'
import { legacyTokens } from './legacy-tokens.ts'
import { serviceAccountTokens } from './service-account-tokens.ts'
import { staticTokens } from './static-tokens.ts'
import type { TokenAuthenticator, TokenIdentity } from './token-authenticator.ts'
import { tokenRequestResponder } from './token-request.ts'
import { x509Authenticator } from './x509-authenticator.ts'

export interface AuthenticationOptions {
  /** PEM of the authority whose client certificates are believed. */
  readonly caPem: string
  readonly keys: SigningKeys
  /** "https://kubernetes.default.svc.cluster.local": in tokens, and the audience of those that name none. */
  readonly issuer: string
  /** Tokens that the plane gives out itself. */
  readonly tokens?: ReadonlyMap<string, UserInfo>
  /** Whom the cluster's owner trusts beside. */
  readonly configured?: Pick<ConfiguredTokens, 'authenticate' | 'mayBeAnonymous'>
  /** In-process, as a member of system:masters. */
  readonly client: Client
  readonly clock: Clock
  readonly random: Random
  readonly logger: Logger
}

export interface Authentication {
  /** Never null: who shows nothing is system:anonymous. Throws Status 401 for credentials that do not hold. */
  readonly authenticate: (credentials: Parameters<Authenticator>[0]) => Promise<UserInfo>
  /** The user as whom the request is done; to be called before authorization. */
  readonly impersonate: (user: UserInfo, headers: ApiRequest['headers'], authorize: Authorizer) => Promise<UserInfo>
  /** TokenReview, SelfSubjectReview and serviceaccounts/token. */
  readonly responders: Readonly<Record<string, Responder>>
  /** By path: OIDC discovery. */
  readonly handlers: Readonly<Record<string, RequestHandler>>
}

export const ANONYMOUS: UserInfo = { name: 'system:anonymous', groups: ['system:unauthenticated'] }
const GROUP = 'authentication.k8s.io'

export function createAuthentication(options: AuthenticationOptions): Authentication {
  const { caPem, keys, issuer, client, clock, random, logger, configured, tokens = new Map() } = options
  const audiences = [issuer]
  const byCertificate = x509Authenticator({ caPem, clock })
  const byToken = anyOf([
    staticTokens(tokens, audiences),
    serviceAccountTokens({ keys, issuer, client, clock }),
    legacyTokens({ keys, client, clock, logger, own: audiences }),
    bootstrapTokens({ client, clock, own: audiences }),
    ...(configured ? [configured.authenticate] : []),
  ])

  return {
    async authenticate(credentials) {
      let failure: unknown = null
      try {
        const user = await byCertificate(credentials)
        if (user) return authenticated(user)
      } catch (error) {
        failure = error
      }
      if (credentials.bearerToken) {
        try {
          const identity = await byToken(credentials.bearerToken, audiences)
          if (identity) return authenticated(identity.user)
          failure ??= new Error('invalid bearer token')
        } catch (error) {
          failure = error
        }
      }
      if (failure === null && (configured?.mayBeAnonymous(credentials.path) ?? true)) return ANONYMOUS
      failure ??= new Error('no credentials, and the path is not open to everyone')
      logger.info('request refused: not authenticated', { why: messageOf(failure) })
      throw unauthorized()
    },
    impersonate,
    responders: {
      'serviceaccounts/token': tokenRequestResponder({ keys, issuer, audiences, client, clock, random }),
      [`tokenreviews.${GROUP}`]: async (object) => {
        const review = object as TokenReview
        if (!review.spec.token) throw invalidObject({ group: GROUP, kind: 'TokenReview' }, '', [required('spec.token')])
        return { ...review, status: await reviewed(byToken, review, audiences) } as TokenReview
      },
      [`selfsubjectreviews.${GROUP}`]: async (object, { user }) => {
        return { ...object, status: { userInfo: shown(user) } }
      },
    },
    handlers: issuerDiscovery({ issuer, keys }),
  }
}

/** The first that knows the token decides, unless its word is no and a later one says yes. */
function anyOf(authenticators: readonly TokenAuthenticator[]): TokenAuthenticator {
  return async (token, audiences) => {
    let failure: unknown = null
    for (const authenticate of authenticators) {
      try {
        const identity = await authenticate(token, audiences)
        if (identity) return identity
      } catch (error) {
        failure ??= error
      }
    }
    if (failure !== null) throw failure
    return null
  }
}

async function reviewed(byToken: TokenAuthenticator, review: TokenReview, own: readonly string[]): Promise<Partial<TokenReview['status']>> {
  const wanted = review.spec.audiences?.length ? review.spec.audiences : own
  let identity: TokenIdentity | null
  try {
    identity = await byToken(review.spec.token, wanted)
  } catch (error) {
    return { authenticated: false, error: messageOf(error) }
  }
  if (!identity) return { authenticated: false, error: 'invalid bearer token' }
  return { authenticated: true, user: shown(authenticated(identity.user)), audiences: [...identity.audiences] }
}

function authenticated(user: UserInfo): UserInfo {
  const known = ['system:authenticated', 'system:unauthenticated']
  return user.groups.some((group) => known.includes(group)) ? user : { ...user, groups: [...user.groups, 'system:authenticated'] }
}

function shown({ name, uid, groups, extra }: UserInfo): UserInfoV1 {
  const copied = extra ? Object.fromEntries(Object.entries(extra).map(([key, values]) => [key, [...values]])) : null
  return { username: name, ...(uid ? { uid } : {}), groups: [...groups], ...(copied ? { extra: copied } : {}) }
}
