/** The Container Runtime Interface v1 over gRPC. */
import type { MessageShape } from '@bufbuild/protobuf'
import type { Clock } from '../../base/clock.ts'
import type { ContainerConfig, Cri, LinuxResources, ListFilter, SandboxConfig } from './cri.ts'
import type { ContainerStatus, ContainerSummary, ContainerUsage, ImageDetails, ImageInfo, RegistryAuth, RuntimeState } from './cri-types.ts'
import type { SandboxStatus, SandboxSummary } from './cri-types.ts'
import { ImageService, NamespaceMode, PodSandboxState, RuntimeService } from './gen/cri_pb.js'
import type {
  ContainerSchema,
  ContainerStatsSchema,
  ContainerStatusSchema,
  ImageSchema,
  PodSandboxMetadataSchema,
  PodSandboxSchema,
  PodSandboxStatusSchema,
} from './gen/cri_pb.js'
import { GrpcConnection } from './grpc.ts'
import { hasCode } from './runtime-error.ts'

/** Milliseconds. What only reads, what changes something, and what may have to wait for a process to end. */
const READ = 30_000
const CHANGE = 120_000
const SANDBOX = 240_000

export class CriClient implements Cri, Disposable {
  readonly #connection: GrpcConnection

  constructor(socket: string, clock: Clock) {
    this.#connection = new GrpcConnection(`unix://${socket}`, clock)
  }

  [Symbol.dispose](): void {
    this.#connection[Symbol.dispose]()
  }

  async version() {
    const answer = await this.#connection.unary(RuntimeService.method.version, { version: 'v1' }, { timeout: READ })
    return { name: answer.runtimeName, version: answer.runtimeVersion }
  }

  async health() {
    const answer = await this.#connection.unary(RuntimeService.method.status, {}, { timeout: READ })
    const conditions = answer.status?.conditions ?? []
    return { conditions: conditions.map(({ type, status, reason, message }) => ({ type, status, reason, message })) }
  }

  async runSandbox(config: SandboxConfig, runtimeHandler: string, signal?: AbortSignal) {
    const { method } = RuntimeService
    const answer = await this.#connection.unary(method.runPodSandbox, { config, runtimeHandler }, { timeout: SANDBOX, signal })
    return answer.podSandboxId
  }

  async stopSandbox(podSandboxId: string) {
    await this.#connection.unary(RuntimeService.method.stopPodSandbox, { podSandboxId }, { timeout: CHANGE })
  }

  async removeSandbox(podSandboxId: string) {
    await this.#connection.unary(RuntimeService.method.removePodSandbox, { podSandboxId }, { timeout: CHANGE })
  }

  async sandboxStatus(podSandboxId: string): Promise<SandboxStatus> {
    const answer = await this.#connection.unary(RuntimeService.method.podSandboxStatus, { podSandboxId }, { timeout: READ })
    return toSandboxStatus(present(answer.status, 'PodSandboxStatus'))
  }

  async sandboxPid(podSandboxId: string) {
    const { method } = RuntimeService
    const answer = await this.#connection.unary(method.podSandboxStatus, { podSandboxId, verbose: true }, { timeout: READ })
    const pid = infoOf(answer.info, 'pid')
    return typeof pid === 'number' && pid > 0 ? pid : null
  }

  async listSandboxes(filter: ListFilter = {}): Promise<SandboxSummary[]> {
    const request = { filter: { labelSelector: filter.labels ?? {} } }
    const answer = await this.#connection.unary(RuntimeService.method.listPodSandbox, request, { timeout: READ })
    return answer.items.map(toSandbox)
  }

  async createContainer(podSandboxId: string, config: ContainerConfig, sandboxConfig: SandboxConfig) {
    const request = { podSandboxId, config, sandboxConfig }
    return (await this.#connection.unary(RuntimeService.method.createContainer, request, { timeout: CHANGE })).containerId
  }

  async startContainer(containerId: string) {
    await this.#connection.unary(RuntimeService.method.startContainer, { containerId }, { timeout: CHANGE })
  }

  async stopContainer(containerId: string, graceSeconds: number, signal?: AbortSignal) {
    const request = { containerId, timeout: BigInt(Math.max(0, Math.ceil(graceSeconds))) }
    const timeout = graceSeconds * 1000 + CHANGE
    await this.#connection.unary(RuntimeService.method.stopContainer, request, { timeout, signal })
  }

  async removeContainer(containerId: string) {
    await this.#connection.unary(RuntimeService.method.removeContainer, { containerId }, { timeout: CHANGE })
  }

  async containerStatus(containerId: string): Promise<ContainerStatus> {
    const answer = await this.#connection.unary(RuntimeService.method.containerStatus, { containerId }, { timeout: READ })
    return toContainerStatus(present(answer.status, 'ContainerStatus'))
  }

  async listContainers(filter: ListFilter = {}): Promise<ContainerSummary[]> {
    const request = { filter: { labelSelector: filter.labels ?? {} } }
    const answer = await this.#connection.unary(RuntimeService.method.listContainers, request, { timeout: READ })
    return answer.containers.map(toContainer)
  }

  async updateResources(containerId: string, linux: LinuxResources) {
    await this.#connection.unary(RuntimeService.method.updateContainerResources, { containerId, linux }, { timeout: CHANGE })
  }

  async reopenLog(containerId: string) {
    await this.#connection.unary(RuntimeService.method.reopenContainerLog, { containerId }, { timeout: READ })
  }

  async execSync(containerId: string, command: readonly string[], timeoutSeconds: number, signal?: AbortSignal) {
    const request = { containerId, cmd: [...command], timeout: BigInt(Math.ceil(timeoutSeconds)) }
    // The runtime ends the command itself; the deadline is for a runtime that does not answer.
    const timeout = timeoutSeconds > 0 ? timeoutSeconds * 1000 + 10_000 : undefined
    const { stdout, stderr, exitCode } = await this.#connection.unary(RuntimeService.method.execSync, request, { timeout, signal })
    return { stdout, stderr, exitCode }
  }

  async attachUrl(containerId: string, streams: { stdin: boolean; stdout: boolean; stderr: boolean; tty: boolean }) {
    return (await this.#connection.unary(RuntimeService.method.attach, { containerId, ...streams }, { timeout: READ })).url
  }

  async portForwardUrl(podSandboxId: string, port: number) {
    return (await this.#connection.unary(RuntimeService.method.portForward, { podSandboxId, port: [port] }, { timeout: READ })).url
  }

  async usages(): Promise<ContainerUsage[]> {
    const answer = await this.#connection.unary(RuntimeService.method.listContainerStats, {}, { timeout: READ })
    return answer.stats.map(toUsage)
  }

  async listImages(): Promise<ImageInfo[]> {
    return (await this.#connection.unary(ImageService.method.listImages, {}, { timeout: READ })).images.map(toImage)
  }

  async imageStatus(image: string): Promise<ImageInfo | null> {
    const answer = await this.#connection.unary(ImageService.method.imageStatus, { image: { image } }, { timeout: READ })
    return answer.image ? toImage(answer.image) : null
  }

  async imageDetails(image: string): Promise<ImageDetails | null> {
    const request = { image: { image }, verbose: true }
    const answer = await this.#connection.unary(ImageService.method.imageStatus, request, { timeout: READ })
    if (!answer.image) return null
    const chainId = infoOf(answer.info, 'chainID')
    return { ...toImage(answer.image), ...(typeof chainId === 'string' ? { chainId } : {}) }
  }

  async pullImage(image: string, auth: RegistryAuth | null, sandboxConfig: SandboxConfig | null, signal?: AbortSignal) {
    const request = { image: { image }, ...(auth ? { auth: { ...auth } } : {}), ...(sandboxConfig ? { sandboxConfig } : {}) }
    return (await this.#connection.unary(ImageService.method.pullImage, request, { signal })).imageRef
  }

  async removeImage(image: string) {
    try {
      await this.#connection.unary(ImageService.method.removeImage, { image: { image } }, { timeout: CHANGE })
    } catch (error) {
      if (!hasCode(error, 'NotFound')) throw error
    }
  }

  async imageFilesystems() {
    const answer = await this.#connection.unary(ImageService.method.imageFsInfo, {}, { timeout: READ })
    return answer.imageFilesystems.map((fs) => ({
      mountpoint: fs.fsId?.mountpoint ?? '',
      usedBytes: Number(fs.usedBytes?.value ?? 0n),
      usedInodes: Number(fs.inodesUsed?.value ?? 0n),
    }))
  }
}

const milliseconds = (nanoseconds: bigint) => Number(nanoseconds / 1_000_000n)

function present<T>(value: T | undefined, what: string): T {
  if (value === undefined) throw new Error(`the container runtime answered ${what} without a status`)
  return value
}

const STATES: readonly RuntimeState[] = ['created', 'running', 'exited', 'unknown']

function toMetadata(metadata: MessageShape<typeof PodSandboxMetadataSchema> | undefined) {
  return {
    name: metadata?.name ?? '',
    namespace: metadata?.namespace ?? '',
    uid: metadata?.uid ?? '',
    attempt: metadata?.attempt ?? 0,
  }
}

function toSandbox(sandbox: MessageShape<typeof PodSandboxSchema> | MessageShape<typeof PodSandboxStatusSchema>): SandboxSummary {
  return {
    id: sandbox.id,
    metadata: toMetadata(sandbox.metadata),
    ready: sandbox.state === PodSandboxState.SANDBOX_READY,
    createdAt: milliseconds(sandbox.createdAt),
    labels: sandbox.labels,
    annotations: sandbox.annotations,
  }
}

function toSandboxStatus(sandbox: MessageShape<typeof PodSandboxStatusSchema>): SandboxStatus {
  const hostNetwork = sandbox.linux?.namespaces?.options?.network === NamespaceMode.NODE
  const network = sandbox.network
  const ips = network?.ip && !hostNetwork ? [network.ip, ...network.additionalIps.map(({ ip }) => ip)] : []
  return { ...toSandbox(sandbox), ips, hostNetwork }
}

/** What a container's summary and its status both tell. */
function identityOf(container: MessageShape<typeof ContainerSchema> | MessageShape<typeof ContainerStatusSchema>) {
  return {
    id: container.id,
    name: container.metadata?.name ?? '',
    attempt: container.metadata?.attempt ?? 0,
    state: STATES[container.state] ?? 'unknown',
    image: container.image?.image ?? '',
    imageRef: container.imageRef,
    createdAt: milliseconds(container.createdAt),
    labels: container.labels,
    annotations: container.annotations,
  }
}

function toContainer(container: MessageShape<typeof ContainerSchema>): ContainerSummary {
  return {
    ...identityOf(container),
    sandboxId: container.podSandboxId,
  }
}

function toContainerStatus(container: MessageShape<typeof ContainerStatusSchema>): ContainerStatus {
  return {
    ...identityOf(container),
    startedAt: milliseconds(container.startedAt),
    finishedAt: milliseconds(container.finishedAt),
    exitCode: container.exitCode,
    reason: container.reason,
    message: container.message,
    mounts: container.mounts.map(({ containerPath, hostPath, readonly }) => ({ containerPath, hostPath, readonly })),
    logPath: container.logPath,
  }
}

function toUsage(stats: MessageShape<typeof ContainerStatsSchema>): ContainerUsage {
  const { cpu, memory, writableLayer } = stats
  return {
    id: stats.attributes?.id ?? '',
    at: milliseconds(cpu?.timestamp ?? memory?.timestamp ?? 0n),
    cpuNanoSeconds: Number(cpu?.usageCoreNanoSeconds?.value ?? 0n),
    workingSetBytes: Number(memory?.workingSetBytes?.value ?? 0n),
    memoryBytes: Number(memory?.usageBytes?.value ?? 0n),
    rssBytes: Number(memory?.rssBytes?.value ?? 0n),
    pageFaults: Number(memory?.pageFaults?.value ?? 0n),
    majorPageFaults: Number(memory?.majorPageFaults?.value ?? 0n),
    diskBytes: Number(writableLayer?.usedBytes?.value ?? 0n),
    diskInodes: Number(writableLayer?.inodesUsed?.value ?? 0n),
  }
}

function toImage(image: MessageShape<typeof ImageSchema>): ImageInfo {
  return {
    id: image.id,
    tags: image.repoTags,
    digests: image.repoDigests,
    size: Number(image.size),
    ...(image.uid ? { uid: Number(image.uid.value) } : {}),
    username: image.username,
    pinned: image.pinned,
  }
}

/** What containerd tells beyond CRI, as JSON in a verbose answer. */
function infoOf(info: Readonly<Record<string, string>>, key: string): unknown {
  const text = info['info']
  if (text === undefined) return undefined
  const parsed: unknown = JSON.parse(text)
  return typeof parsed === 'object' && parsed !== null ? (parsed as Record<string, unknown>)[key] : undefined
}
