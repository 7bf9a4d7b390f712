/** Tokens with which a node joins: Secrets in kube-system. Source: kubernetes "Authenticating with Bootstrap Tokens". */
import { createHash, timingSafeEqual } from 'node:crypto'
import { secret as secretKind } from '../../api/core/v1/secret.ts'
import type { Secret } from '../../api/core/v1/types.gen.ts'
import type { Clock } from '../../base/clock.ts'
import type { Client } from '../../client/client.ts'
import { hasReason } from '../../machinery/status.ts'
import type { TokenAuthenticator } from './token-authenticator.ts'

const TOKEN = /^([a-z0-9]{6})\.([a-z0-9]{16})$/
const GROUP = /^system:bootstrappers:[a-z0-9:-]{0,255}[a-z0-9]$/
const TYPE = 'bootstrap.kubernetes.io/token'
const DEFAULT_GROUP = 'system:bootstrappers'

export function bootstrapTokens(options: { client: Client; clock: Clock; own: readonly string[] }): TokenAuthenticator {
  const { client, clock, own } = options
  return async (token, audiences) => {
    const wanted = audiences.filter((one) => own.includes(one))
    const [, id, password] = TOKEN.exec(token) ?? []
    if (!id || !password || !wanted.length) return null
    const secret = await find(client, `bootstrap-token-${id}`)
    const data = (key: string) => Buffer.from(secret?.data?.[key] ?? '', 'base64').toString('utf8')
    if (!secret || secret.metadata.deletionTimestamp || secret.type !== TYPE) return null
    if (data('token-id') !== id || !same(data('token-secret'), password)) return null
    const expiration = data('expiration')
    // A date that cannot be read must not make a token that never ends.
    if (expiration && !(Date.parse(expiration) > clock.now())) return null
    if (data('usage-bootstrap-authentication') !== 'true') return null
    const extra = data('auth-extra-groups').split(',').filter(Boolean)
    const odd = extra.find((group) => !GROUP.test(group))
    if (odd) throw new Error(`bootstrap token ${id} has the group ${JSON.stringify(odd)}, which does not begin with ${DEFAULT_GROUP}:`)
    return { user: { name: `system:bootstrap:${id}`, groups: [DEFAULT_GROUP, ...extra] }, audiences: wanted }
  }
}

async function find(client: Client, name: string): Promise<Secret | null> {
  try {
    return await client.get(secretKind, { namespace: 'kube-system', name })
  } catch (error) {
    if (hasReason(error, 'NotFound')) return null
    throw error
  }
}

function same(a: string, b: string): boolean {
  const digest = (text: string) => createHash('sha256').update(text).digest()
  return timingSafeEqual(digest(a), digest(b))
}
