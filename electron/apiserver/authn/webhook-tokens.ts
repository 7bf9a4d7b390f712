/** Asks a server whose token it is (authentication.k8s.io TokenReview). Source: apiserver `plugin/pkg/authenticator/token/webhook`. */
import type { TokenReview } from '../../api/authentication/v1/types.gen.ts'
import { isObject } from '../../machinery/json-value.ts'
import type { ReviewServer } from '../webhooks/review-server.ts'
import type { TokenAuthenticator } from './token-authenticator.ts'

export type ReviewVersion = 'v1' | 'v1beta1'

export interface WebhookTokensOptions {
  readonly server: ReviewServer
  readonly version: ReviewVersion
  /** Audiences of this API server: those of a server that does not say for whom a token is. */
  readonly own: readonly string[]
}

export function webhookTokens({ server, version, own }: WebhookTokensOptions): TokenAuthenticator {
  return async (token, audiences) => {
    const apiVersion = `authentication.k8s.io/${version}`
    const review = { kind: 'TokenReview', apiVersion, metadata: { creationTimestamp: null }, spec: { token, audiences } }
    const answer = await server.post(review)
    const status = isObject(answer) && isObject(answer['status']) ? (answer['status'] as Partial<TokenReview['status']>) : {}
    if (status.authenticated !== true) {
      if (status.error) throw new Error(status.error)
      return null
    }
    const given = status.audiences?.length ? status.audiences : own
    const wanted = audiences.filter((one) => given.includes(one))
    if (wanted.length === 0) return null
    const { username = '', uid, groups, extra } = status.user ?? {}
    const user = { name: username, groups: groups ?? [], ...(uid ? { uid } : {}), ...(extra ? { extra } : {}) }
    return { user, audiences: wanted }
  }
}
