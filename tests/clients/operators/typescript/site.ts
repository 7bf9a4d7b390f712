/** The objects of the operator, and what it is told by its environment. */
import type { KubernetesListObject, KubernetesObject, V1Condition } from '@kubernetes/client-node'

export interface Site extends KubernetesObject {
  spec: { page: { title?: string; text: string }; replicas?: number }
  status?: SiteStatus
}

export interface SiteStatus {
  observedGeneration?: number
  readyReplicas?: number
  conditions?: V1Condition[]
}

export type SiteList = KubernetesListObject<Site>

export interface Settings {
  /** Of the custom resource; its definition is there before the operator. */
  readonly group: string
  /** Where the operator's own objects are: its lease, and the directory of all sites. */
  readonly namespace: string
  readonly identity: string
  readonly leaseSeconds: number
  /** A folder with `tls.crt` and `tls.key` of the webhooks, and `ca.crt` that signed them. */
  readonly tlsDir: string
}

export function settingsOf(env: NodeJS.ProcessEnv): Settings {
  const read = (name: string) => {
    const value = env[name]
    if (!value) throw new Error(`the environment has no ${name}`)
    return value
  }
  return {
    group: read('OPERATOR_GROUP'),
    namespace: read('OPERATOR_NAMESPACE'),
    identity: read('OPERATOR_IDENTITY'),
    leaseSeconds: Number(read('OPERATOR_LEASE_SECONDS')),
    tlsDir: read('OPERATOR_TLS_DIR'),
  }
}

export const VERSION = 'v1'
export const PLURAL = 'sites'
/** A ConfigMap in the operator's namespace with an entry for each site: what no owner reference can clean up. */
export const DIRECTORY = 'directory'

export const apiVersionOf = ({ group }: Settings) => `${group}/${VERSION}`
export const finalizerOf = ({ group }: Settings) => `${group}/directory`
