/**
 * Tokens of service accounts that are kept in Secrets and have no end of their own: they hold for as long as Secret and account are
 * there. Source: kubernetes `pkg/serviceaccount/legacy.go`, KEP-2799.
 */
import { decodeJwt, jwtVerify, SignJWT, type JWTPayload } from 'jose'
import { secret as secretKind } from '../../api/core/v1/secret.ts'
import { serviceAccount } from '../../api/core/v1/service-account.ts'
import type { Secret } from '../../api/core/v1/types.gen.ts'
import type { Kind } from '../../api/kind.ts'
import type { KubeObject } from '../../api/meta/v1/object.ts'
import type { Clock } from '../../base/clock.ts'
import { messageOf } from '../../base/errors.ts'
import type { Logger } from '../../base/logger.ts'
import type { Client } from '../../client/client.ts'
import { hasReason } from '../../machinery/status.ts'
import type { SigningKeys } from '../pki/pki.ts'
import { groupsOf, userNameOf } from './service-account-claims.ts'
import type { TokenAuthenticator } from './token-authenticator.ts'

const ISSUER = 'kubernetes/serviceaccount'
const CLAIM = { namespace: `${ISSUER}/namespace`, secret: `${ISSUER}/secret.name`, name: `${ISSUER}/service-account.name` }
const UID = `${ISSUER}/service-account.uid`
const LAST_USED = 'kubernetes.io/legacy-token-last-used'
const INVALID_SINCE = 'kubernetes.io/legacy-token-invalid-since'

export interface LegacySubject {
  readonly namespace: string
  readonly name: string
  readonly uid: string
  /** The Secret that it is kept in. */
  readonly secret: string
}

export function signLegacyToken({ privateKey, id }: SigningKeys, { namespace, name, uid, secret }: LegacySubject): Promise<string> {
  return new SignJWT({ [CLAIM.namespace]: namespace, [CLAIM.secret]: secret, [CLAIM.name]: name, [UID]: uid })
    .setProtectedHeader({ alg: 'ES256', kid: id })
    .setIssuer(ISSUER)
    .setSubject(userNameOf(namespace, name))
    .sign(privateKey)
}

export interface LegacyTokensOptions {
  readonly keys: SigningKeys
  readonly client: Client
  readonly clock: Clock
  readonly logger: Logger
  /** Audiences of this API server: these tokens name none, and are for no other. */
  readonly own: readonly string[]
}

export function legacyTokens({ keys, client, clock, logger, own }: LegacyTokensOptions): TokenAuthenticator {
  /** The day is noted on the Secret, so that what nobody uses can be found. */
  const noteUse = async ({ metadata: { namespace, name, labels } }: Secret) => {
    const day = new Date(clock.now()).toISOString().slice(0, 10)
    if (labels?.[LAST_USED] === day) return
    const body = { metadata: { labels: { [LAST_USED]: day } } }
    await client.patch(secretKind, { ...(namespace ? { namespace } : {}), name }, { type: 'merge', body })
  }
  return async (token, audiences) => {
    if (!isLegacy(token)) return null
    const wanted = audiences.filter((one) => own.includes(one))
    if (wanted.length === 0) return null
    const { payload } = await jwtVerify(token, keys.publicKey, {
      issuer: ISSUER,
      algorithms: ['ES256'],
      currentDate: new Date(clock.now()),
    })
    const subject = subjectOf(payload)
    const { namespace, name, uid, secret: secretName } = subject
    const secret = await find(client, secretKind, namespace, secretName)
    if (!secret || secret.metadata.deletionTimestamp) throw new Error('the token has been invalidated: its Secret is gone')
    if (secret.data?.['token'] !== Buffer.from(token).toString('base64')) throw new Error("the token does not match the account's Secret")
    if (secret.metadata.labels?.[INVALID_SINCE])
      throw new Error(`the token in the Secret ${namespace}/${secretName} has been marked invalid (label ${INVALID_SINCE})`)
    const account = await find(client, serviceAccount, namespace, name)
    if (!account || account.metadata.deletionTimestamp) throw new Error(`the ServiceAccount ${namespace}/${name} does not exist`)
    if (account.metadata.uid !== uid) throw new Error(`the ServiceAccount ${namespace}/${name} has been replaced by another of that name`)
    void noteUse(secret).catch((error: unknown) =>
      logger.warn('the use of a token could not be noted', { namespace, why: messageOf(error) }),
    )
    return { user: { name: userNameOf(namespace, name), uid, groups: groupsOf(namespace) }, audiences: wanted }
  }
}

function isLegacy(token: string): boolean {
  try {
    return decodeJwt(token).iss === ISSUER
  } catch {
    return false
  }
}

/** Throws Error if a claim is missing. */
function subjectOf(payload: JWTPayload): LegacySubject {
  const claim = (name: string) => {
    const value = payload[name]
    if (typeof value !== 'string' || value === '') throw new Error(`the token lacks the claim ${name}`)
    return value
  }
  return { namespace: claim(CLAIM.namespace), name: claim(CLAIM.name), uid: claim(UID), secret: claim(CLAIM.secret) }
}

async function find<T extends KubeObject>(client: Client, kind: Kind<T>, namespace: string, name: string): Promise<T | null> {
  try {
    return await client.get(kind, { namespace, name })
  } catch (error) {
    if (hasReason(error, 'NotFound')) return null
    throw error
  }
}
