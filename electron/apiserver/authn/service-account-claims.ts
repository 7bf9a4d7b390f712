/** What is in a service account's token. Source: kubernetes "Schema for service account private claims", KEP-1205, KEP-4193. */
import type { JWTPayload } from 'jose'
import type { UserInfo } from '../types.ts'

export interface ObjectClaim {
  readonly name: string
  readonly uid: string
}

export interface KubernetesClaims {
  readonly namespace: string
  readonly serviceaccount: ObjectClaim
  readonly pod?: ObjectClaim
  readonly node?: ObjectClaim
  readonly secret?: ObjectClaim
  /** Seconds since the epoch after which a token that was made to outlive its request is better not used. */
  readonly warnafter?: number
}

export interface TokenClaims extends JWTPayload {
  readonly 'kubernetes.io': KubernetesClaims
}

export function userNameOf(namespace: string, name: string): string {
  return `system:serviceaccount:${namespace}:${name}`
}

/** Namespace and name of the service account that a user name stands for, or null. */
export function serviceAccountOf(userName: string): { namespace: string; name: string } | null {
  const [, namespace, name] = /^system:serviceaccount:([^:]+):([^:]+)$/.exec(userName) ?? []
  return namespace && name ? { namespace, name } : null
}

export function groupsOf(namespace: string): string[] {
  return ['system:serviceaccounts', `system:serviceaccounts:${namespace}`]
}

export function userOf(claims: TokenClaims): UserInfo {
  const { namespace, serviceaccount, pod, node } = claims['kubernetes.io']
  const extra: Record<string, string[]> = {}
  if (claims.jti) extra['authentication.kubernetes.io/credential-id'] = [`JTI=${claims.jti}`]
  if (pod) {
    extra['authentication.kubernetes.io/pod-name'] = [pod.name]
    extra['authentication.kubernetes.io/pod-uid'] = [pod.uid]
  }
  if (node) {
    extra['authentication.kubernetes.io/node-name'] = [node.name]
    extra['authentication.kubernetes.io/node-uid'] = [node.uid]
  }
  return { name: userNameOf(namespace, serviceaccount.name), uid: serviceaccount.uid, groups: groupsOf(namespace), extra }
}

/** Whether a payload that was signed with our key has what every token of ours has. */
export function isTokenClaims(payload: JWTPayload): payload is TokenClaims {
  const claims = payload['kubernetes.io']
  if (typeof claims !== 'object' || claims === null || !('serviceaccount' in claims) || !('namespace' in claims)) return false
  const account = claims.serviceaccount
  return typeof claims.namespace === 'string' && typeof account === 'object' && account !== null && 'name' in account && 'uid' in account
}
