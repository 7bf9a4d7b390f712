/** Ends containers and pods with the grace that they were promised. Source: kubernetes `kuberuntime_container.go`. */
import type { Clock } from '../../../base/clock.ts'
import { messageOf } from '../../../base/errors.ts'
import type { Logger } from '../../../base/logger.ts'
import type { Container, Pod } from '../../../api/core/v1/types.gen.ts'
import type { Cri } from '../../runtime/cri.ts'
import { hasCode } from '../../runtime/runtime-error.ts'
import { containerReference } from '../events.ts'
import type { EventSink } from '../events.ts'
import type { RuntimeContainer, RuntimePod } from '../pleg/runtime-pod.ts'
import { runLimited } from './hooks.ts'
import type { HookRunner } from './hooks.ts'
import type { KillReason } from './container-kill.ts'

export interface KillerDeps {
  readonly cri: Cri
  readonly clock: Clock
  readonly logger: Logger
  readonly events: EventSink
  readonly hooks: HookRunner
}

export interface KillOptions {
  /** Seconds; absent: what the pod says. */
  readonly grace?: number | undefined
  readonly reason?: KillReason | 'hook'
  /** For the event; empty or absent: "Stopping container …". */
  readonly message?: string
  readonly signal: AbortSignal
}

/** Seconds that a container is always given, whatever its hook took. */
const MINIMUM_GRACE = 2

export class Killer {
  readonly #deps: KillerDeps

  constructor(deps: KillerDeps) {
    this.#deps = deps
  }

  /** Returns when the container has ended. Aborted, it leaves the container ending. */
  async killContainer(pod: Pod, address: string, container: RuntimeContainer, options: KillOptions): Promise<void> {
    const { cri, clock, events, hooks, logger } = this.#deps
    const spec = containerSpec(pod, container.name)
    let grace = options.grace ?? graceOf(pod, spec, options.reason)
    if (container.state === 'running') {
      const about = containerReference(pod, container.name)
      events.event(about, 'Normal', 'Killing', options.message || `Stopping container ${container.name}`)
      const preStop = spec?.lifecycle?.preStop
      if (preStop && spec && grace > 0 && container.state === 'running') {
        const target = { container: spec, containerId: container.id, address }
        const { took, error } = await runLimited(hooks, preStop, target, grace * 1000, clock, options.signal)
        if (error !== null) {
          events.event(about, 'Warning', 'FailedPreStopHook', 'PreStopHook failed')
          logger.info('a preStop hook failed', { pod: pod.metadata.uid, container: container.name, error: messageOf(error) })
        }
        grace -= Math.floor(took / 1000)
        grace = Math.max(grace, MINIMUM_GRACE)
      }
    }
    try {
      await cri.stopContainer(container.id, grace, options.signal)
    } catch (error) {
      if (!hasCode(error, 'NotFound')) throw error
    }
  }

  /** Ends all containers, the sidecars after those they serve and in reverse order, then the sandboxes. Throws if something is left. */
  async killPod(pod: Pod, runtime: RuntimePod, options: Pick<KillOptions, 'grace' | 'signal'>): Promise<void> {
    const alive = runtime.containers.filter(({ state }) => state === 'running' || state === 'unknown')
    const address = runtime.sandboxes.find(({ ready }) => ready)?.ips[0] ?? ''
    const order = sidecarOrder(pod)
    const began = this.#deps.clock.monotonic()
    const promised = options.grace ?? graceOf(pod, undefined)
    await this.#killAll(
      alive.filter(({ name }) => !order.includes(name)),
      (container) => this.killContainer(pod, address, container, options),
    )
    for (const name of order) {
      // Sidecars share what is left of the pod's grace.
      const left = Math.max(MINIMUM_GRACE, promised - Math.floor((this.#deps.clock.monotonic() - began) / 1000))
      const grace = promised === 0 ? 0 : left
      await this.#killAll(
        alive.filter((container) => container.name === name),
        (container) => this.killContainer(pod, address, container, { ...options, grace }),
      )
    }
    for (const { id, ready } of runtime.sandboxes) if (ready) await this.#stopSandbox(id)
  }

  async #killAll(containers: readonly RuntimeContainer[], kill: (container: RuntimeContainer) => Promise<void>): Promise<void> {
    const results = await Promise.allSettled(containers.map(kill))
    const failed = results.find((result) => result.status === 'rejected')
    if (failed) throw failed.reason
  }

  async #stopSandbox(id: string): Promise<void> {
    try {
      await this.#deps.cri.stopSandbox(id)
    } catch (error) {
      if (!hasCode(error, 'NotFound')) throw error
    }
  }
}

/** Names of sidecars in the order in which they end. */
function sidecarOrder({ spec }: Pod): string[] {
  return (spec.initContainers ?? [])
    .filter(({ restartPolicy }) => restartPolicy === 'Always')
    .map(({ name }) => name)
    .toReversed()
}

function containerSpec({ spec }: Pod, name: string): Container | undefined {
  return [...spec.containers, ...(spec.initContainers ?? []), ...(spec.ephemeralContainers ?? [])].find((c) => c.name === name)
}

/** Seconds. */
function graceOf(pod: Pod, spec: Container | undefined, reason?: KillOptions['reason']): number {
  const deletion = pod.metadata.deletionGracePeriodSeconds
  if (deletion !== undefined) return deletion
  const own =
    reason === 'liveness'
      ? spec?.livenessProbe?.terminationGracePeriodSeconds
      : reason === 'startup'
        ? spec?.startupProbe?.terminationGracePeriodSeconds
        : undefined
  return own ?? pod.spec.terminationGracePeriodSeconds ?? MINIMUM_GRACE
}
