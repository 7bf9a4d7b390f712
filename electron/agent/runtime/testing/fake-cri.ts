/** A container runtime in memory, on a clock that the test moves. What containers do is the test's to say. */
import type { Clock } from '../../../base/clock.ts'
import { Emitter } from '../../../base/events.ts'
import type { RuntimeEvents } from '../containerd-events.ts'
import type { ContainerConfig, Cri, LinuxResources, ListFilter, SandboxConfig } from '../cri.ts'
import type { ContainerStatus, ContainerSummary, ContainerUsage, ExecResult, ImageInfo, RuntimeState, SandboxStatus } from '../cri-types.ts'
import { RuntimeError } from '../runtime-error.ts'

interface FakeContainer {
  readonly id: string
  readonly sandboxId: string
  readonly config: ContainerConfig
  state: RuntimeState
  readonly createdAt: number
  startedAt: number
  finishedAt: number
  exitCode: number
  reason: string
  resources: LinuxResources | undefined
}

interface FakeSandbox {
  readonly id: string
  readonly config: SandboxConfig
  ready: boolean
  readonly createdAt: number
  readonly ip: string
}

export class FakeCri implements Cri {
  readonly sandboxes = new Map<string, FakeSandbox>()
  readonly containers = new Map<string, FakeContainer>()
  readonly images = new Map<string, ImageInfo>()
  /** Calls that changed something: "create main 0", "stop main 30". */
  readonly calls: string[] = []
  readonly events: RuntimeEvents = { changed: new Emitter(), gap: new Emitter(), connected: true }
  /** What a call of this name throws: "pullImage", "runSandbox". */
  readonly failures = new Map<string, Error>()
  /** Milliseconds that a container takes to end after it was told; Infinity: until it is killed. */
  stopTakes = 0
  network: string | null = null
  onExec: (id: string, command: readonly string[]) => Promise<Partial<ExecResult>> = async () => ({})
  /** What the image `name` is when it is pulled; null: it cannot be had. */
  registry: (name: string) => ImageInfo | null = () => null
  readonly #clock: Clock
  #count = 0

  constructor(clock: Clock) {
    this.#clock = clock
  }

  addImage(name: string, more: Partial<ImageInfo> = {}): void {
    this.images.set(name, { id: `sha256:${name}`, tags: [name], digests: [], size: 1, uid: 0, username: '', pinned: false, ...more })
  }

  /** The newest container of that name. */
  find(name: string): FakeContainer {
    const found = [...this.containers.values()].findLast(({ config }) => config.metadata?.name === name)
    if (!found) throw new Error(`no container ${name} was made; calls were ${this.calls.join(', ')}`)
    return found
  }

  /** The container's program ends. */
  exit(name: string, exitCode: number, reason = exitCode === 0 ? 'Completed' : 'Error'): void {
    this.#end(this.find(name), exitCode, reason)
  }

  async version() {
    return { name: 'containerd', version: '1.6.20' }
  }

  async health() {
    const network = { type: 'NetworkReady', status: this.network === null, reason: 'NetworkPluginNotReady', message: this.network ?? '' }
    return { conditions: [{ type: 'RuntimeReady', status: true, reason: '', message: '' }, network] }
  }

  async runSandbox(config: SandboxConfig) {
    this.#call('runSandbox', `sandbox ${config.metadata?.name} ${config.metadata?.attempt}`)
    const id = this.#id('s')
    this.sandboxes.set(id, { id, config, ready: true, createdAt: this.#clock.now(), ip: `10.0.0.${this.#count}` })
    return id
  }

  async stopSandbox(id: string) {
    this.#call('stopSandbox', `stop sandbox ${this.sandboxes.get(id)?.config.metadata?.name}`)
    const sandbox = this.sandboxes.get(id)
    if (sandbox) sandbox.ready = false
    for (const container of this.containers.values())
      if (container.sandboxId === id && container.state === 'running') this.#end(container, 137, 'Error')
  }

  async removeSandbox(id: string) {
    this.#call('removeSandbox', `remove sandbox ${this.sandboxes.get(id)?.config.metadata?.name}`)
    this.sandboxes.delete(id)
  }

  async sandboxStatus(id: string): Promise<SandboxStatus> {
    const sandbox = this.sandboxes.get(id)
    if (!sandbox) throw new RuntimeError('NotFound', `sandbox ${id} not found`)
    const hostNetwork = sandbox.config.linux?.securityContext?.namespaceOptions?.network === 2
    return { ...toSandbox(sandbox), ips: hostNetwork ? [] : [sandbox.ip], hostNetwork }
  }

  async listSandboxes(filter: ListFilter = {}) {
    return [...this.sandboxes.values()].map(toSandbox).filter(({ labels }) => matches(labels, filter))
  }

  async sandboxPid() {
    return null
  }

  async createContainer(sandboxId: string, config: ContainerConfig) {
    this.#call('createContainer', `create ${config.metadata?.name} ${config.metadata?.attempt}`)
    const id = this.#id('c')
    const times = { createdAt: this.#clock.now(), startedAt: 0, finishedAt: 0 }
    this.containers.set(id, {
      id,
      sandboxId,
      config,
      state: 'created',
      ...times,
      exitCode: 0,
      reason: '',
      resources: config.linux?.resources as LinuxResources,
    })
    return id
  }

  async startContainer(id: string) {
    const container = this.#container(id)
    this.#call('startContainer', `start ${container.config.metadata?.name}`)
    container.state = 'running'
    container.startedAt = this.#clock.now()
  }

  async stopContainer(id: string, graceSeconds: number, signal?: AbortSignal) {
    const container = this.#container(id)
    this.#call('stopContainer', `stop ${container.config.metadata?.name} ${graceSeconds}`)
    const takes = Math.min(this.stopTakes, graceSeconds * 1000)
    await new Promise<void>((resolve, reject) => {
      const timer = this.#clock.setTimeout(resolve, takes)
      signal?.addEventListener('abort', () => {
        timer[Symbol.dispose]()
        reject(signal.reason as Error)
      })
    })
    if (container.state === 'running') this.#end(container, this.stopTakes > graceSeconds * 1000 ? 137 : 143, 'Error')
  }

  async removeContainer(id: string) {
    this.#call('removeContainer', `remove ${this.containers.get(id)?.config.metadata?.name}`)
    this.containers.delete(id)
  }

  async containerStatus(id: string): Promise<ContainerStatus> {
    const container = this.#container(id)
    const { sandboxId: _, ...summary } = toContainer(container)
    const { startedAt, finishedAt, exitCode, reason } = container
    return { ...summary, startedAt, finishedAt, exitCode, reason, message: '', mounts: [], logPath: `/logs/${id}` }
  }

  async listContainers(filter: ListFilter = {}) {
    return [...this.containers.values()].map(toContainer).filter(({ labels }) => matches(labels, filter))
  }

  async updateResources(id: string, resources: LinuxResources) {
    const container = this.#container(id)
    this.#call('updateResources', `update ${container.config.metadata?.name}`)
    container.resources = resources
  }

  async reopenLog(id: string) {
    this.#call('reopenLog', `reopen ${id}`)
  }

  async execSync(id: string, command: readonly string[]) {
    const { stdout = Buffer.of(), stderr = Buffer.of(), exitCode = 0 } = await this.onExec(id, command)
    return { stdout, stderr, exitCode }
  }

  async attachUrl() {
    return 'http://127.0.0.1:1/attach'
  }

  async portForwardUrl() {
    return 'http://127.0.0.1:1/portforward'
  }

  async usages(): Promise<ContainerUsage[]> {
    return []
  }

  async listImages() {
    return [...this.images.values()]
  }

  async imageStatus(image: string) {
    return this.images.get(image) ?? null
  }

  async imageDetails(image: string) {
    return this.images.get(image) ?? null
  }

  async pullImage(image: string) {
    this.#call('pullImage', `pull ${image}`)
    const found = this.registry(image)
    if (!found) throw new RuntimeError('NotFound', `failed to pull and unpack image "${image}": not found`)
    this.images.set(image, found)
    return found.id
  }

  async removeImage(image: string) {
    this.#call('removeImage', `remove image ${image}`)
    for (const [name, { id }] of this.images) if (id === image || name === image) this.images.delete(name)
  }

  async imageFilesystems() {
    return []
  }

  #id(prefix: string): string {
    return `${prefix}${++this.#count}`
  }

  #call(name: string, told: string): void {
    this.calls.push(told)
    const failure = this.failures.get(name)
    if (failure) throw failure
  }

  #container(id: string): FakeContainer {
    const container = this.containers.get(id)
    if (!container) throw new RuntimeError('NotFound', `container ${id} not found`)
    return container
  }

  #end(container: FakeContainer, exitCode: number, reason: string): void {
    Object.assign(container, { state: 'exited', exitCode, reason, finishedAt: this.#clock.now() })
    this.events.changed.emit(container.id)
  }
}

function toSandbox({ id, config, ready, createdAt }: FakeSandbox) {
  const { name = '', namespace = '', uid = '', attempt = 0 } = config.metadata ?? {}
  const labels = { ...config.labels } as Record<string, string>
  return { id, metadata: { name, namespace, uid, attempt }, ready, createdAt, labels, annotations: {} }
}

function toContainer({ id, sandboxId, config, state, createdAt }: FakeContainer): ContainerSummary {
  const { name = '', attempt = 0 } = config.metadata ?? {}
  const image = config.image?.image ?? ''
  const [labels, annotations] = [config.labels, config.annotations].map((map) => ({ ...map })) as [
    Record<string, string>,
    Record<string, string>,
  ]
  return { id, sandboxId, name, attempt, state, image, imageRef: image, createdAt, labels, annotations }
}

function matches(labels: Readonly<Record<string, string>>, filter: ListFilter): boolean {
  return Object.entries(filter.labels ?? {}).every(([key, value]) => labels[key] === value)
}
