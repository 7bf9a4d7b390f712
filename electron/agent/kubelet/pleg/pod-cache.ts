/**
 * The runtime's pods as last seen. It looks when containerd says that a container changed, when somebody asks, and at intervals, so
 * that a lost event delays but never hides a change (what kubelet calls the pod lifecycle event generator).
 */
import { Emitter } from '../../../base/events.ts'
import { mapLimit } from '../../../base/async.ts'
import type { Clock } from '../../../base/clock.ts'
import { messageOf } from '../../../base/errors.ts'
import { component, componentWith } from '../../../base/lifecycle.ts'
import type { Component } from '../../../base/lifecycle.ts'
import type { Logger } from '../../../base/logger.ts'
import type { ContainerStatus, ContainerSummary, SandboxStatus, SandboxSummary } from '../../runtime/cri-types.ts'
import type { RuntimeEvents } from '../../runtime/containerd-events.ts'
import type { Cri } from '../../runtime/cri.ts'
import { hasCode } from '../../runtime/runtime-error.ts'
import { POD_UID } from '../pods/names.ts'
import type { RuntimeContainer, RuntimePod } from './runtime-pod.ts'

export interface PodCacheDeps {
  readonly cri: Cri
  readonly events: RuntimeEvents
  readonly clock: Clock
  readonly logger: Logger
  /** What a container left as its last words. */
  readonly terminationMessage: (container: ContainerStatus) => Promise<string>
}

export interface PodCache extends Component {
  /** As last seen; undefined if the runtime has nothing of it. */
  get(uid: string): RuntimePod | undefined
  /** Whether the runtime has told of the pod: before that, that nothing is seen of it says nothing. */
  knows(uid: string): boolean
  /** Looks now. */
  refresh(uid: string): Promise<RuntimePod | undefined>
  list(): readonly RuntimePod[]
  findContainer(id: string): { readonly pod: RuntimePod; readonly container: RuntimeContainer } | undefined
  /** The uid of a pod of which something changed. */
  readonly changed: Emitter<string>
  /** When all pods were last seen, in milliseconds since the epoch; 0 before. */
  readonly lastRelist: number
}

/** Milliseconds between two looks at everything: with events coming in, and without. */
const RELIST = 10_000
const RELIST_BLIND = 1000
const PARALLEL = 4

export function createPodCache(deps: PodCacheDeps): PodCache {
  const cache = new Cache(deps)
  const base = component(async (stack, signal) => {
    stack.use(deps.events.changed.on((id) => cache.containerChanged(id)))
    stack.use(deps.events.gap.on(() => cache.lookSoon()))
    stack.defer(() => cache.stop())
    await cache
      .relist()
      .catch((error: unknown) => deps.logger.warn('the container runtime does not answer yet', { error: messageOf(error) }))
    cache.schedule(signal)
  })
  return componentWith(base, {
    get: (uid) => cache.pods.get(uid),
    knows: (uid) => cache.lastRelist > 0 || cache.looked.has(uid),
    refresh: (uid) => cache.refresh(uid),
    list: () => [...cache.pods.values()],
    findContainer: (id) => cache.findContainer(id),
    changed: cache.changed,
    get lastRelist() {
      return cache.lastRelist
    },
  })
}

class Cache {
  readonly pods = new Map<string, RuntimePod>()
  readonly changed = new Emitter<string>()
  lastRelist = 0
  /** Uids that were asked for before all pods were seen. */
  readonly looked = new Set<string>()
  readonly #deps: PodCacheDeps
  /** Of looks under way, one may wait to begin: it sees all that happened before it was asked for. */
  readonly #looks = new Map<string, { running: Promise<RuntimePod | undefined>; next: Promise<RuntimePod | undefined> | null }>()
  #timer: Disposable | null = null
  #stopped = false

  constructor(deps: PodCacheDeps) {
    this.#deps = deps
  }

  findContainer(id: string): { pod: RuntimePod; container: RuntimeContainer } | undefined {
    for (const pod of this.pods.values()) {
      const container = pod.containers.find((c) => c.id === id)
      if (container) return { pod, container }
    }
    return undefined
  }

  containerChanged(id: string): void {
    for (const pod of this.pods.values()) {
      if (!pod.containers.some((c) => c.id === id) && !pod.sandboxes.some((s) => s.id === id)) continue
      void this.refresh(pod.uid).catch(() => undefined)
      return
    }
    // One that was made a moment ago: whoever made it looks by himself.
  }

  lookSoon(): void {
    if (this.#stopped) return
    this.#timer?.[Symbol.dispose]()
    this.#timer = this.#deps.clock.setTimeout(() => this.#tick(), 0)
  }

  schedule(signal: AbortSignal): void {
    if (signal.aborted) return
    this.#arm()
  }

  stop(): void {
    this.#stopped = true
    this.#timer?.[Symbol.dispose]()
  }

  #arm(): void {
    if (this.#stopped) return
    this.#timer?.[Symbol.dispose]()
    this.#timer = this.#deps.clock.setTimeout(() => this.#tick(), this.#deps.events.connected ? RELIST : RELIST_BLIND)
  }

  #tick(): void {
    void this.relist()
      .catch((error: unknown) => this.#deps.logger.warn('could not list the containers', { error: messageOf(error) }))
      .finally(() => this.#arm())
  }

  async relist(): Promise<void> {
    const { cri, clock } = this.#deps
    const [sandboxes, containers] = await Promise.all([cri.listSandboxes(), cri.listContainers()])
    const uids = new Set<string>(this.pods.keys())
    for (const { labels } of [...sandboxes, ...containers]) if (labels[POD_UID] !== undefined) uids.add(labels[POD_UID])
    const stale = [...uids].filter((uid) => {
      const own = <T extends { labels: Readonly<Record<string, string>> }>(all: readonly T[]) =>
        all.filter((x) => x.labels[POD_UID] === uid)
      return fingerprint(own(sandboxes), own(containers)) !== fingerprintOf(this.pods.get(uid))
    })
    await mapLimit(stale, PARALLEL, (uid) => this.refresh(uid))
    this.lastRelist = clock.now()
    this.looked.clear()
  }

  refresh(uid: string): Promise<RuntimePod | undefined> {
    const look = this.#looks.get(uid)
    if (look) {
      const start = () => this.#begin(uid)
      look.next ??= look.running.then(start, start)
      return look.next
    }
    return this.#begin(uid)
  }

  #begin(uid: string): Promise<RuntimePod | undefined> {
    const running = this.#look(uid)
    const look = { running, next: null }
    this.#looks.set(uid, look)
    const done = () => {
      if (this.#looks.get(uid) === look && look.next === null) this.#looks.delete(uid)
    }
    void running.finally(done).catch(() => undefined)
    return running
  }

  async #look(uid: string): Promise<RuntimePod | undefined> {
    const { cri } = this.#deps
    const old = this.pods.get(uid)
    const labels = { [POD_UID]: uid }
    const [sandboxList, containerList] = await Promise.all([cri.listSandboxes({ labels }), cri.listContainers({ labels })])
    const [sandboxes, containers] = await Promise.all([
      Promise.all(sandboxList.map((sandbox) => this.#sandbox(sandbox))),
      mapLimit(containerList, PARALLEL, (container) => this.#container(container, old)),
    ])
    if (this.lastRelist === 0) this.looked.add(uid)
    const first = sandboxList[0]?.labels ?? containerList[0]?.labels
    if (!first) {
      this.pods.delete(uid)
      if (old) this.changed.emit(uid)
      return undefined
    }
    const pod: RuntimePod = {
      uid,
      name: first['io.kubernetes.pod.name'] ?? '',
      namespace: first['io.kubernetes.pod.namespace'] ?? '',
      sandboxes: sandboxes.filter((s) => s !== null).toSorted(newestFirst),
      containers: containers.filter((c) => c !== null).toSorted(newestFirst),
    }
    this.pods.set(uid, pod)
    if (fingerprintOf(pod) !== fingerprintOf(old)) this.changed.emit(uid)
    return pod
  }

  async #sandbox(sandbox: SandboxSummary): Promise<SandboxStatus | null> {
    if (!sandbox.ready) return { ...sandbox, ips: [], hostNetwork: false }
    try {
      return await this.#deps.cri.sandboxStatus(sandbox.id)
    } catch (error) {
      if (hasCode(error, 'NotFound')) return null
      throw error
    }
  }

  /** An ended container does not change any more, so it is asked for once. */
  async #container(container: ContainerSummary, old: RuntimePod | undefined): Promise<RuntimeContainer | null> {
    const known = old?.containers.find(({ id }) => id === container.id)
    if (known?.state === 'exited' && container.state === 'exited') return known
    try {
      const status = await this.#deps.cri.containerStatus(container.id)
      const terminationMessage = status.state === 'exited' ? await this.#deps.terminationMessage(status) : ''
      return { ...status, sandboxId: container.sandboxId, terminationMessage }
    } catch (error) {
      if (hasCode(error, 'NotFound')) return null
      throw error
    }
  }
}

function newestFirst(
  a: { createdAt: number; attempt?: number; metadata?: { attempt: number } },
  b: { createdAt: number; attempt?: number; metadata?: { attempt: number } },
): number {
  return b.createdAt - a.createdAt || (b.attempt ?? b.metadata?.attempt ?? 0) - (a.attempt ?? a.metadata?.attempt ?? 0)
}

function fingerprint(sandboxes: readonly { id: string; ready: boolean }[], containers: readonly { id: string; state: string }[]): string {
  const parts = [...sandboxes.map(({ id, ready }) => `${id}=${ready}`), ...containers.map(({ id, state }) => `${id}=${state}`)]
  return parts.toSorted().join(' ')
}

function fingerprintOf(pod: RuntimePod | undefined): string {
  return pod ? fingerprint(pod.sandboxes, pod.containers) : ''
}
