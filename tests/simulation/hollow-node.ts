/** A node that is one by its objects alone: it registers, renews its lease and tells its status as often as a real kubelet does. */
import { differs, nodeStatus } from '../../electron/agent/kubelet/node/node-status.ts'
import { lease as leaseKind } from '../../electron/api/coordination/v1/lease.ts'
import { node as nodeKind } from '../../electron/api/core/v1/node.ts'
import type { Node, NodeStatus } from '../../electron/api/core/v1/types.gen.ts'
import { formatMicroTime } from '../../electron/api/values/time.ts'
import { sleep, type Clock } from '../../electron/base/clock.ts'
import type { Client } from '../../electron/client/client.ts'
import { bucketLimiter } from '../../electron/machinery/rate-limiter.ts'
import { hasReason } from '../../electron/machinery/status.ts'

export interface NodeShape {
  readonly name: string
  readonly labels?: Readonly<Record<string, string>>
  /** Replaces parts of 8 cores, 32 GiB, 100 GiB of disk and 110 pods. All of it can be allocated. */
  readonly capacity?: Readonly<Record<string, string>>
}

/** Milliseconds: between renewals of the lease, and between reports of a status in which nothing changed. */
const REPORT = 5 * 60_000
const LEASE_SECONDS = 40
const LEASES = 'kube-node-lease'
/** What one kubelet may ask of the API server: so many requests a second, and at once. */
const REQUESTS = 50
const BURST = 100

const CAPACITY = { cpu: '8', memory: '32Gi', 'ephemeral-storage': '100Gi', pods: '110' }

export class HollowNode {
  readonly shape: NodeShape
  readonly address: string
  /** It is without power: nothing comes from it. */
  silent = false
  readonly #client: Client
  readonly #clock: Clock
  readonly #budget
  #told: NodeStatus | null = null
  #toldAt = 0

  constructor(shape: NodeShape, address: string, client: Client, clock: Clock) {
    this.shape = shape
    this.address = address
    this.#client = client
    this.#clock = clock
    this.#budget = bucketLimiter<null>(clock, REQUESTS, BURST)
  }

  get name(): string {
    return this.shape.name
  }

  /** Resolves when a real kubelet would have been let through. */
  async turn(signal: AbortSignal): Promise<void> {
    const wait = this.#budget.when(null)
    if (wait > 0) await sleep(this.#clock, wait, signal)
  }

  /** A sign of life. `known`: the node as informers have it. */
  async beat(known: Node | undefined, signal: AbortSignal): Promise<void> {
    const status = this.#status(known)
    if (!known) await this.#register(status, signal)
    const current = this.#told ?? known?.status
    if (!current || differs(current, status) || this.#clock.now() - this.#toldAt >= REPORT) await this.#tell(status, signal)
    await this.#renew(signal)
  }

  async #register(status: NodeStatus, signal: AbortSignal): Promise<void> {
    const { name, labels } = this.shape
    const own = { 'kubernetes.io/hostname': name, 'kubernetes.io/os': 'linux', 'kubernetes.io/arch': 'amd64' }
    await this.turn(signal)
    try {
      await this.#client.create(nodeKind, { metadata: { name, labels: { ...own, ...labels } }, spec: {}, status }, { signal })
      this.#noteTold(status)
    } catch (error) {
      if (!hasReason(error, 'AlreadyExists')) throw error
    }
  }

  async #tell(status: NodeStatus, signal: AbortSignal): Promise<void> {
    const { addresses = [], ...rest } = status
    const body = { status: { ...rest, addresses: [...addresses, { $patch: 'replace' }] } }
    await this.turn(signal)
    await this.#client.patch(nodeKind, { name: this.name }, { type: 'strategic', body }, { subresource: 'status', signal })
    this.#noteTold(status)
  }

  #noteTold(status: NodeStatus): void {
    this.#told = status
    this.#toldAt = this.#clock.now()
  }

  async #renew(signal: AbortSignal): Promise<void> {
    const { name } = this
    const spec = { holderIdentity: name, leaseDurationSeconds: LEASE_SECONDS, renewTime: formatMicroTime(this.#clock.now()) }
    await this.turn(signal)
    try {
      await this.#client.patch(leaseKind, { namespace: LEASES, name }, { type: 'merge', body: { spec } }, { signal })
    } catch (error) {
      if (!hasReason(error, 'NotFound')) throw error
      await this.#client.create(leaseKind, { metadata: { namespace: LEASES, name }, spec }, { signal })
    }
  }

  /** Who else writes into the status (taken-over conditions, `Unknown`) is overruled at the next sign of life. */
  #status(known: Node | undefined): NodeStatus {
    const capacity = { ...CAPACITY, ...this.shape.capacity }
    const isLost = known?.status.conditions?.some(({ type, status }) => type === 'Ready' && status !== 'True') ?? false
    if (isLost) this.#told = null
    return nodeStatus({
      ...{ nodeName: this.name, nodeIPs: [this.address], capacity, allocatable: capacity, images: [], port: 10250, faults: [] },
      nodeInfo: {
        ...{ architecture: 'amd64', bootID: '', containerRuntimeVersion: 'hollow://1', kernelVersion: '', kubeProxyVersion: '' },
        ...{ kubeletVersion: 'v1.36.0-hollow', machineID: '', operatingSystem: 'linux', osImage: 'hollow', systemUUID: this.name },
      },
      holds: () => false,
      previous: (this.#told ?? known?.status)?.conditions ?? [],
      now: this.#clock.now(),
    })
  }
}
