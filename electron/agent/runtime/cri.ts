/** What the kubelet needs from a container runtime. All calls fail with RuntimeError. */
import type { MessageInitShape } from '@bufbuild/protobuf'
import type {
  ContainerConfigSchema,
  LinuxContainerResourcesSchema,
  LinuxContainerSecurityContextSchema,
  MountSchema,
  NamespaceOptionSchema,
  PodSandboxConfigSchema,
  PortMappingSchema,
  SecurityProfileSchema,
} from './gen/cri_pb.js'
import type {
  ContainerStatus,
  ContainerSummary,
  ContainerUsage,
  ExecResult,
  ImageDetails,
  ImageFilesystem,
  ImageInfo,
  RegistryAuth,
  RuntimeHealth,
  RuntimeVersion,
  SandboxStatus,
  SandboxSummary,
} from './cri-types.ts'

type Plain<T> = Exclude<T, { $typeName: string }>

export type SandboxConfig = Plain<MessageInitShape<typeof PodSandboxConfigSchema>>
export type ContainerConfig = Plain<MessageInitShape<typeof ContainerConfigSchema>>
export type LinuxResources = Plain<MessageInitShape<typeof LinuxContainerResourcesSchema>>
export type LinuxSecurityContext = Plain<MessageInitShape<typeof LinuxContainerSecurityContextSchema>>
export type SecurityProfile = Plain<MessageInitShape<typeof SecurityProfileSchema>>
export type NamespaceOption = Plain<MessageInitShape<typeof NamespaceOptionSchema>>
export type MountConfig = Plain<MessageInitShape<typeof MountSchema>>
export type PortMapping = Plain<MessageInitShape<typeof PortMappingSchema>>

export interface ListFilter {
  readonly labels?: Readonly<Record<string, string>>
}

export interface Cri {
  version(): Promise<RuntimeVersion>
  health(): Promise<RuntimeHealth>

  /** Makes and starts the pod's namespaces and network; returns the sandbox's id. */
  runSandbox(config: SandboxConfig, runtimeHandler: string, signal?: AbortSignal): Promise<string>
  stopSandbox(id: string): Promise<void>
  removeSandbox(id: string): Promise<void>
  sandboxStatus(id: string): Promise<SandboxStatus>
  listSandboxes(filter?: ListFilter): Promise<SandboxSummary[]>
  /** The id of its first process; null where the runtime does not tell it. */
  sandboxPid(id: string): Promise<number | null>

  createContainer(sandboxId: string, config: ContainerConfig, sandbox: SandboxConfig): Promise<string>
  startContainer(id: string): Promise<void>
  /** Returns when the container has ended: by its stop signal, or after `graceSeconds` by SIGKILL. */
  stopContainer(id: string, graceSeconds: number, signal?: AbortSignal): Promise<void>
  removeContainer(id: string): Promise<void>
  containerStatus(id: string): Promise<ContainerStatus>
  listContainers(filter?: ListFilter): Promise<ContainerSummary[]>
  updateResources(id: string, resources: LinuxResources): Promise<void>
  /** The runtime opens the container's log file anew, after it has been renamed. */
  reopenLog(id: string): Promise<void>

  /** Fails with DeadlineExceeded when the command has not ended after `timeoutSeconds` (0: no limit). */
  execSync(id: string, command: readonly string[], timeoutSeconds: number, signal?: AbortSignal): Promise<ExecResult>
  /** URLs of the runtime's own streaming server. */
  attachUrl(id: string, streams: { stdin: boolean; stdout: boolean; stderr: boolean; tty: boolean }): Promise<string>
  portForwardUrl(sandboxId: string, port: number): Promise<string>

  usages(): Promise<ContainerUsage[]>

  listImages(): Promise<ImageInfo[]>
  /** null if it is not there. */
  imageStatus(image: string): Promise<ImageInfo | null>
  imageDetails(image: string): Promise<ImageDetails | null>
  /** Returns the image's id. */
  pullImage(image: string, auth: RegistryAuth | null, sandbox: SandboxConfig | null, signal?: AbortSignal): Promise<string>
  removeImage(image: string): Promise<void>
  imageFilesystems(): Promise<ImageFilesystem[]>
}
