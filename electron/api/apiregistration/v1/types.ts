/** kube-aggregator's `apiregistration.k8s.io/v1`, whose models are not among Kubernetes' schema facts. */
import type { KubeObject, Time } from '../../meta/v1/object.ts'

export interface APIService extends KubeObject {
  spec: APIServiceSpec
  status: APIServiceStatus
}

export interface APIServiceSpec {
  /** PEM, base64-encoded. */
  caBundle?: string
  group?: string
  groupPriorityMinimum: number
  insecureSkipTLSVerify?: boolean
  /** None for what this server serves itself. */
  service?: APIServiceReference
  version?: string
  versionPriority: number
}

export interface APIServiceReference {
  name?: string
  namespace?: string
  port?: number
}

export interface APIServiceStatus {
  conditions?: APIServiceCondition[]
}

export interface APIServiceCondition {
  lastTransitionTime?: Time
  message?: string
  reason?: string
  status: 'True' | 'False' | 'Unknown'
  type: 'Available'
}
