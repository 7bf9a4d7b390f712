/** `serviceaccounts/token`: issues tokens. Source: authentication.k8s.io/v1 TokenRequest, KEP-1205. */
import { SignJWT } from 'jose'
import type { TokenRequest } from '../../api/authentication/v1/types.gen.ts'
import { tokenRequest } from '../../api/authentication/v1/token-request.ts'
import { node as nodeKind } from '../../api/core/v1/node.ts'
import { pod as podKind } from '../../api/core/v1/pod.ts'
import { secret as secretKind } from '../../api/core/v1/secret.ts'
import { serviceAccount } from '../../api/core/v1/service-account.ts'
import { groupResource, type Kind } from '../../api/kind.ts'
import type { KubeObject } from '../../api/meta/v1/object.ts'
import type { Clock } from '../../base/clock.ts'
import type { Random } from '../../base/random.ts'
import type { Client } from '../../client/client.ts'
import { badRequest, conflict, hasReason } from '../../machinery/status.ts'
import type { SigningKeys } from '../pki/pki.ts'
import type { Responder } from '../types.ts'
import { userNameOf, type KubernetesClaims, type ObjectClaim } from './service-account-claims.ts'

const DEFAULT_SECONDS = 3600
/** What a projected volume asks for by default; clients that do not read their token again go on for a year. */
const MARKED_SECONDS = 3607
const EXTENDED_SECONDS = 365 * 24 * 3600

export function tokenRequestResponder(options: {
  keys: SigningKeys
  issuer: string
  /** Of a request that names none. */
  audiences: readonly string[]
  client: Client
  clock: Clock
  random: Random
}): Responder {
  const { keys, issuer, client, clock, random } = options

  const bound = async <T extends KubeObject>(kind: Kind<T>, namespace: string | undefined, name: string, uid?: string): Promise<T> => {
    const object = await client.get(kind, { ...(namespace ? { namespace } : {}), name })
    if (uid && object.metadata.uid !== uid)
      throw conflict(
        { group: kind.group, resource: groupResource(kind) },
        name,
        `the UID in the bound object reference (${uid}) does not match the UID in record. The object might have been deleted and then recreated`,
      )
    return object
  }

  const respond: Responder = async (object, { namespace, name }) => {
    const request = object as TokenRequest
    const { spec } = request
    const account = await client.get(serviceAccount, { namespace, name })
    const claims: { -readonly [K in keyof KubernetesClaims]: KubernetesClaims[K] } = { namespace, serviceaccount: claimOf(account) }
    const ref = spec.boundObjectRef
    if (ref?.kind === 'Pod') {
      const pod = await bound(podKind, namespace, ref.name ?? '', ref.uid)
      if (pod.spec.serviceAccountName !== name)
        throw badRequest(`cannot bind token for serviceaccount ${JSON.stringify(name)} to pod running with different serviceaccount name.`)
      claims.pod = claimOf(pod)
      const { nodeName } = pod.spec
      if (nodeName) claims.node = await nodeClaim(client, nodeName)
    } else if (ref?.kind === 'Node') claims.node = claimOf(await bound(nodeKind, undefined, ref.name ?? '', ref.uid))
    else if (ref?.kind === 'Secret') claims.secret = claimOf(await bound(secretKind, namespace, ref.name ?? '', ref.uid))
    else if (ref) throw badRequest(`cannot bind token to object of type ${ref.apiVersion ?? ''}, Kind=${ref.kind ?? ''}`)

    const now = Math.floor(clock.now() / 1000)
    const asked = spec.expirationSeconds ?? DEFAULT_SECONDS
    const extended = asked === MARKED_SECONDS && claims.pod !== undefined && !spec.audiences?.length
    if (extended) claims.warnafter = now + asked
    const audiences = spec.audiences?.length ? spec.audiences : [...options.audiences]
    const token = await new SignJWT({ 'kubernetes.io': claims })
      .setProtectedHeader({ alg: 'ES256', kid: keys.id })
      .setIssuer(issuer)
      .setSubject(userNameOf(namespace, name))
      .setAudience(audiences)
      .setIssuedAt(now)
      .setNotBefore(now)
      .setExpirationTime(now + (extended ? EXTENDED_SECONDS : asked))
      .setJti(random.uuid())
      .sign(keys.privateKey)
    const expirationTimestamp = new Date((now + asked) * 1000).toISOString().replace('.000Z', 'Z')
    const metadata = { ...request.metadata, name, namespace, creationTimestamp: new Date(now * 1000).toISOString().replace('.000Z', 'Z') }
    return {
      ...request,
      metadata,
      spec: { ...spec, audiences, expirationSeconds: asked },
      status: { token, expirationTimestamp },
    } as TokenRequest
  }
  return Object.assign(respond, { kind: tokenRequest })
}

/** A pod may be bound to a node whose object is gone. */
async function nodeClaim(client: Client, name: string): Promise<ObjectClaim> {
  try {
    return claimOf(await client.get(nodeKind, { name }))
  } catch (error) {
    if (hasReason(error, 'NotFound')) return { name, uid: '' }
    throw error
  }
}

function claimOf({ metadata: { name, uid } }: KubeObject): ObjectClaim {
  return { name, uid }
}
