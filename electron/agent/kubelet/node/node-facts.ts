/** What pods' containers are made with that is the node's, not the pod's. */
export interface NodeFacts {
  readonly nodeName: string
  /** The addresses that other nodes use. */
  readonly hostIPs: readonly string[]
  readonly clusterDomain: string
  readonly clusterDns: readonly string[]
  /** Bytes. */
  readonly memoryCapacity: number
  readonly cgroupVersion: 1 | 2
  readonly seccompDir: string
  /** Holds a folder of logs per pod. */
  readonly logRoot: string
  readonly allocatable: Readonly<Record<string, string>>
}
