/** Verifies service accounts' tokens: the signature, and that what they are bound to still exists. */
import { jwtVerify, errors as joseErrors } from 'jose'
import { node as nodeKind } from '../../api/core/v1/node.ts'
import { pod as podKind } from '../../api/core/v1/pod.ts'
import { secret as secretKind } from '../../api/core/v1/secret.ts'
import { serviceAccount } from '../../api/core/v1/service-account.ts'
import type { Kind } from '../../api/kind.ts'
import type { KubeObject } from '../../api/meta/v1/object.ts'
import type { Clock } from '../../base/clock.ts'
import type { Client } from '../../client/client.ts'
import { hasReason } from '../../machinery/status.ts'
import type { SigningKeys } from '../pki/pki.ts'
import { isTokenClaims, userOf, type ObjectClaim, type TokenClaims } from './service-account-claims.ts'
import type { TokenAuthenticator } from './token-authenticator.ts'

/** An object that is being deleted keeps its tokens for so long, in milliseconds, so that it can end in order. */
const DELETION_LEEWAY = 60_000
/** Verified signatures that are remembered. */
const REMEMBERED = 2048

export function serviceAccountTokens(options: { keys: SigningKeys; issuer: string; client: Client; clock: Clock }): TokenAuthenticator {
  const { keys, issuer, client, clock } = options
  const verified = new Map<string, TokenClaims>()

  const verify = async (token: string): Promise<TokenClaims | null> => {
    const known = verified.get(token)
    if (known) return known
    if (!mentions(token, issuer)) return null
    const { payload } = await jwtVerify(token, keys.publicKey, { issuer, algorithms: ['ES256'], currentDate: new Date(clock.now()) })
    if (!isTokenClaims(payload)) throw new Error('the token lacks the claims of a service account')
    if (verified.size >= REMEMBERED) verified.delete(String(verified.keys().next().value))
    verified.set(token, payload)
    return payload
  }

  const mustExist = async <T extends KubeObject>(kind: Kind<T>, namespace: string | undefined, claim: ObjectClaim): Promise<void> => {
    const object = await client.get(kind, { ...(namespace ? { namespace } : {}), name: claim.name }).catch((error: unknown) => {
      if (hasReason(error, 'NotFound')) return null
      throw error
    })
    const what = `the ${kind.kind} ${claim.name} that the token is bound to`
    if (!object) throw new Error(`${what} does not exist`)
    if (object.metadata.uid !== claim.uid) throw new Error(`${what} has been replaced by another of that name`)
    const { deletionTimestamp } = object.metadata
    if (deletionTimestamp && Date.parse(deletionTimestamp) + DELETION_LEEWAY < clock.now()) throw new Error(`${what} has been deleted`)
  }

  return async (token, audiences) => {
    const claims = await explained(verify(token))
    if (!claims) return null
    const seconds = clock.now() / 1000
    if ((claims.exp ?? 0) <= seconds || (claims.nbf ?? 0) > seconds) throw new Error('the token has expired or is not valid yet')
    const own = typeof claims.aud === 'string' ? [claims.aud] : (claims.aud ?? [])
    const wanted = audiences.filter((one) => own.includes(one))
    if (!wanted.length) throw new Error(`the token is for the audiences ${JSON.stringify(own)}, none of ${JSON.stringify(audiences)}`)
    const { namespace, serviceaccount, pod, node, secret } = claims['kubernetes.io']
    await mustExist(serviceAccount, namespace, serviceaccount)
    if (pod) await mustExist(podKind, namespace, pod)
    else if (node) await mustExist(nodeKind, undefined, node)
    if (secret) await mustExist(secretKind, namespace, secret)
    return { user: userOf(claims), audiences: wanted }
  }
}

/** Whether the text is a JWT of this issuer at all, before anything in it is believed. */
function mentions(token: string, issuer: string): boolean {
  const [, payload, signature, ...rest] = token.split('.')
  if (!payload || !signature || rest.length) return false
  try {
    return (JSON.parse(Buffer.from(payload, 'base64url').toString('utf8')) as { iss?: unknown }).iss === issuer
  } catch {
    return false
  }
}

async function explained<T>(work: Promise<T>): Promise<T> {
  try {
    return await work
  } catch (error) {
    if (error instanceof joseErrors.JWTExpired) throw new Error('the token has expired', { cause: error })
    if (error instanceof joseErrors.JOSEError) throw new Error(`the token does not hold: ${error.message}`, { cause: error })
    throw error
  }
}
