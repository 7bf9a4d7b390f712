/** The runtime's answers in the agent's own terms: times in milliseconds since the epoch, states as words. */

export interface PodMetadata {
  readonly name: string
  readonly namespace: string
  readonly uid: string
  /** Counts the sandboxes that this pod has had, from 0. */
  readonly attempt: number
}

export interface SandboxSummary {
  readonly id: string
  readonly metadata: PodMetadata
  readonly ready: boolean
  readonly createdAt: number
  readonly labels: Readonly<Record<string, string>>
  readonly annotations: Readonly<Record<string, string>>
}

export interface SandboxStatus extends SandboxSummary {
  /** The pod's addresses, the first being the main one; empty with the host's network. */
  readonly ips: readonly string[]
  readonly hostNetwork: boolean
}

export type RuntimeState = 'created' | 'running' | 'exited' | 'unknown'

export interface ContainerSummary {
  readonly id: string
  readonly sandboxId: string
  readonly name: string
  readonly attempt: number
  readonly state: RuntimeState
  /** As asked for. */
  readonly image: string
  /** The id of the image that runs, as the runtime tells it. */
  readonly imageRef: string
  readonly createdAt: number
  readonly labels: Readonly<Record<string, string>>
  readonly annotations: Readonly<Record<string, string>>
}

export interface ContainerStatus extends Omit<ContainerSummary, 'sandboxId'> {
  /** 0 until then. */
  readonly startedAt: number
  readonly finishedAt: number
  readonly exitCode: number
  /** "Completed", "Error", "OOMKilled", "StartError". */
  readonly reason: string
  readonly message: string
  readonly mounts: readonly { readonly containerPath: string; readonly hostPath: string; readonly readonly: boolean }[]
  /** Absolute. */
  readonly logPath: string
}

export interface RuntimeVersion {
  /** "containerd" */
  readonly name: string
  readonly version: string
}

export interface RuntimeCondition {
  /** "RuntimeReady" or "NetworkReady". */
  readonly type: string
  readonly status: boolean
  readonly reason: string
  readonly message: string
}

export interface RuntimeHealth {
  readonly conditions: readonly RuntimeCondition[]
}

export interface ExecResult {
  readonly stdout: Uint8Array
  readonly stderr: Uint8Array
  readonly exitCode: number
}

export interface ImageInfo {
  readonly id: string
  readonly tags: readonly string[]
  readonly digests: readonly string[]
  /** Bytes. */
  readonly size: number
  /** Absent where the image names a user, or none. */
  readonly uid?: number
  readonly username: string
  readonly pinned: boolean
}

export interface ImageDetails extends ImageInfo {
  /** Digest that names the image's layers together; absent where the runtime does not tell it. */
  readonly chainId?: string
}

export interface RegistryAuth {
  readonly username?: string
  readonly password?: string
  readonly auth?: string
  readonly serverAddress?: string
  readonly identityToken?: string
  readonly registryToken?: string
}

export interface ContainerUsage {
  readonly id: string
  /** When it was measured. */
  readonly at: number
  /** Nanoseconds of CPU time since the container began. */
  readonly cpuNanoSeconds: number
  readonly workingSetBytes: number
  readonly memoryBytes: number
  readonly rssBytes: number
  readonly pageFaults: number
  readonly majorPageFaults: number
  /** Of the container's writable layer. */
  readonly diskBytes: number
  readonly diskInodes: number
}

export interface ImageFilesystem {
  readonly mountpoint: string
  readonly usedBytes: number
  readonly usedInodes: number
}
