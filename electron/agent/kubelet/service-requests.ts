/** What the kubelet asks the API server for beside objects. */
import type { Pod } from '../../api/core/v1/types.gen.ts'
import type { TokenRequest as TokenRequestObject } from '../../api/authentication/v1/types.gen.ts'
import type { RuntimeClass } from '../../api/node/v1/types.gen.ts'
import type { Client } from '../../client/client.ts'
import { requestJson } from '../api-requests.ts'
import type { TokenIssuer } from './volumes/tokens.ts'

/** Tokens that hold as long as the pod is there. */
export function tokenIssuer(client: Pick<Client, 'request'>): TokenIssuer {
  return async ({ pod, audience, expirationSeconds }) => {
    const { name, namespace = '', uid } = pod.metadata
    const account = pod.spec.serviceAccountName ?? 'default'
    const path = `/api/v1/namespaces/${encodeURIComponent(namespace)}/serviceaccounts/${encodeURIComponent(account)}/token`
    const { status } = await requestJson<TokenRequestObject>(client, 'POST', path, {
      apiVersion: 'authentication.k8s.io/v1',
      kind: 'TokenRequest',
      spec: {
        audiences: audience ? [audience] : [],
        expirationSeconds,
        boundObjectRef: { apiVersion: 'v1', kind: 'Pod', name, uid },
      },
    })
    return { token: status.token, expiresAt: Date.parse(status.expirationTimestamp ?? '') }
  }
}

/** The handler of a pod's RuntimeClass, "" without one. Known ones do without the API server. */
export function runtimeHandlers(client: Pick<Client, 'request'>): (pod: Pod) => Promise<string> {
  const known = new Map<string, string>()
  return async ({ spec }) => {
    const name = spec.runtimeClassName
    if (!name) return ''
    try {
      const found = await requestJson<RuntimeClass>(client, 'GET', `/apis/node.k8s.io/v1/runtimeclasses/${encodeURIComponent(name)}`)
      known.set(name, found.handler)
      return found.handler
    } catch (error) {
      const handler = known.get(name)
      if (handler !== undefined) return handler
      throw error
    }
  }
}
