/** Makes of a pod what it should be, one pass at a time. Source of the steps: kubernetes `kubelet.go` SyncPod, `kuberuntime_manager.go`. */
import { mkdir } from 'node:fs/promises'
import type { Clock } from '../../../base/clock.ts'
import { messageOf } from '../../../base/errors.ts'
import type { Logger } from '../../../base/logger.ts'
import type { Container, Pod, Secret } from '../../../api/core/v1/types.gen.ts'
import { isSidecar } from '../../../api/core/v1/pod-spec/visit.ts'
import type { Cri, SandboxConfig } from '../../runtime/cri.ts'
import type { PodCgroups } from '../../cgroups/pod-cgroups.ts'
import type { ReferencedObjects } from '../containers/env.ts'
import { podDns } from '../containers/dns.ts'
import type { ResolvConf } from '../containers/dns.ts'
import { kernelHostName } from '../containers/hosts-file.ts'
import { sandboxConfig } from '../containers/sandbox-config.ts'
import { podReference } from '../events.ts'
import type { EventSink } from '../events.ts'
import type { NodeFacts } from '../node/node-facts.ts'
import type { PodCache } from '../pleg/pod-cache.ts'
import type { RuntimePod } from '../pleg/runtime-pod.ts'
import { readySandbox } from '../pleg/runtime-pod.ts'
import { podText } from '../pods/names.ts'
import type { PodState } from '../pods/pod-state.ts'
import type { ProbeManager } from '../probes/probe-manager.ts'
import type { PayloadInput } from '../volumes/payload.ts'
import { VolumesError } from '../volumes/volume-manager.ts'
import type { VolumeManager } from '../volumes/volume-manager.ts'
import type { ContainerStarter } from './container-starter.ts'
import type { Killer } from './killer.ts'
import { planPod } from './plan.ts'
import type { PodPlan } from './plan.ts'
import type { Resizer } from './resizer.ts'

export interface SyncerDeps {
  readonly cri: Cri
  readonly clock: Clock
  readonly logger: Logger
  readonly events: EventSink
  readonly cache: PodCache
  readonly volumes: VolumeManager
  readonly probes: ProbeManager
  readonly objects: ReferencedObjects
  readonly cgroups: PodCgroups
  readonly killer: Killer
  readonly starter: ContainerStarter
  readonly resizer: Resizer
  readonly node: () => NodeFacts
  readonly token: PayloadInput['token']
  readonly nodeDns: () => Promise<ResolvConf>
  /** Why pods cannot get a network of their own at present; null if they can. */
  readonly networkFault: () => string | null
  /** Of a RuntimeClass; "" is the runtime's default. */
  readonly runtimeHandler: (pod: Pod) => Promise<string>
}

/** Milliseconds after which a pod is looked at although nothing happened. */
const RESYNC = 60_000

export class PodSyncer {
  readonly #deps: SyncerDeps

  constructor(deps: SyncerDeps) {
    this.#deps = deps
  }

  /** Returns after how many milliseconds to come again. Throws what kept it from making progress; the signal's reason when aborted. */
  async sync(state: PodState, signal: AbortSignal): Promise<number> {
    const { cache, probes, cgroups } = this.#deps
    const { pod, uid } = state
    const fault = pod.spec.hostNetwork ? null : this.#deps.networkFault()
    const runtime = await cache.refresh(uid)
    if (fault !== null && !readySandbox(runtime)) {
      this.#deps.events.event(podReference(pod), 'Warning', 'NetworkNotReady', `network is not ready: ${fault}`)
      throw new Error(`network is not ready: ${fault}`)
    }
    if (pod.spec.resourceClaims?.length && !readySandbox(runtime)) {
      // Without its devices it would run as though it had them.
      const why = 'Failed to prepare dynamic resources: this agent does not talk to drivers of devices'
      this.#deps.events.event(podReference(pod), 'Warning', 'FailedPrepareDynamicResources', why)
      throw new Error(why)
    }
    probes.add(pod)
    const cgroupParent = await cgroups.ensure(pod)
    await this.#setUpVolumes(pod, runtime)
    signal.throwIfAborted()
    const plan = planPod({
      pod,
      runtime,
      liveness: (id) => probes.result('liveness', id),
      startup: (id) => probes.result('startup', id),
    })
    return this.#carryOut(plan, state, runtime, cgroupParent, signal)
  }

  payloadInput(pod: Pod, runtime: RuntimePod | undefined): PayloadInput {
    const node = this.#deps.node()
    const addresses = { podIPs: podIPsOf(pod, runtime, node), hostIPs: node.hostIPs }
    return { pod, objects: this.#deps.objects, allocatable: node.allocatable, addresses, token: this.#deps.token }
  }

  async #setUpVolumes(pod: Pod, runtime: RuntimePod | undefined): Promise<void> {
    try {
      await this.#deps.volumes.setUp(this.payloadInput(pod, runtime))
    } catch (error) {
      if (error instanceof VolumesError) {
        for (const { volume, message } of error.failures) {
          this.#deps.events.event(
            podReference(pod),
            'Warning',
            'FailedMount',
            `MountVolume.SetUp failed for volume "${volume}" : ${message}`,
          )
        }
      }
      throw error
    }
  }

  /** Returns after how many milliseconds a container that waits may be tried again. */
  async #carryOut(
    plan: PodPlan,
    state: PodState,
    runtime: RuntimePod | undefined,
    cgroupParent: string | null,
    signal: AbortSignal,
  ): Promise<number> {
    const { cache, events, killer, resizer } = this.#deps
    const { pod, uid } = state
    if (plan.killPod) {
      if (plan.sandbox?.replaces)
        events.event(podReference(pod), 'Normal', 'SandboxChanged', 'Pod sandbox changed, it will be killed and re-created.')
      if (runtime) await killer.killPod(pod, runtime, { signal })
      runtime = await cache.refresh(uid)
    }
    const address = readySandbox(runtime)?.ips[0] ?? ''
    await Promise.all(
      plan.kill.map(({ container, reason, message }) => killer.killContainer(pod, address, container, { reason, message, signal })),
    )
    if (plan.kill.length) runtime = await cache.refresh(uid)
    if (plan.killPod && !plan.sandbox) return RESYNC

    const resolv = podDns(pod, { ...this.#dnsInput(), host: await this.#deps.nodeDns() })
    for (const { reason, message } of plan.sandbox ? resolv.warnings : []) events.event(podReference(pod), 'Warning', reason, message)
    const attempt = plan.sandbox?.attempt ?? runtime?.sandboxes[0]?.metadata.attempt ?? 0
    const hostname = kernelHostName(pod, this.#deps.node().clusterDomain)
    const config = sandboxConfig({ pod, attempt, hostname, dns: resolv.config, logRoot: this.#deps.node().logRoot, cgroupParent })
    if (plan.sandbox) {
      await this.#makeSandbox(pod, config, signal)
      runtime = await cache.refresh(uid)
    }
    const sandbox = readySandbox(runtime)
    if (!sandbox || !runtime) throw new Error(`the sandbox of pod ${podText(pod)} ended while its containers were to be started`)

    await resizer.apply(state, runtime, signal)
    const wanted = [...plan.ephemeral, ...plan.init, ...plan.main]
    if (!wanted.length) return RESYNC
    return this.#startAll(wanted, state, { runtime, sandboxId: sandbox.id, sandbox: config }, signal)
  }

  async #startAll(
    containers: readonly Container[],
    state: PodState,
    context: { runtime: RuntimePod; sandboxId: string; sandbox: SandboxConfig },
    signal: AbortSignal,
  ): Promise<number> {
    const { pod, uid } = state
    const podIPs = podIPsOf(pod, context.runtime, this.#deps.node())
    const pullSecrets = await this.#pullSecrets(pod)
    let soonest = RESYNC
    try {
      for (const container of containers) {
        const refused = await this.#deps.starter.start({ pod, container, podIPs, pullSecrets, ...context }, signal)
        if (!refused) {
          state.waiting.delete(container.name)
          continue
        }
        state.waiting.set(container.name, { reason: refused.reason, message: refused.message })
        soonest = Math.min(soonest, refused.retryIn ?? TRY_AGAIN)
        // A plain init container holds up those after it; a sidecar that could not be started again does not.
        if (pod.spec.initContainers?.includes(container) && !isSidecar(container)) break
      }
    } finally {
      await this.#deps.cache.refresh(uid)
    }
    return soonest
  }

  async #makeSandbox(pod: Pod, config: SandboxConfig, signal: AbortSignal): Promise<void> {
    const { cri, events, logger } = this.#deps
    await mkdir(config.logDirectory ?? '', { recursive: true, mode: 0o755 })
    try {
      await cri.runSandbox(config, await this.#deps.runtimeHandler(pod), signal)
    } catch (error) {
      signal.throwIfAborted()
      events.event(podReference(pod), 'Warning', 'FailedCreatePodSandBox', `Failed to create pod sandbox: ${messageOf(error)}`)
      logger.info('a sandbox was not made', { pod: podText(pod), error: messageOf(error) })
      throw error
    }
  }

  #dnsInput() {
    const { clusterDomain, clusterDns } = this.#deps.node()
    return { clusterDomain, clusterDns }
  }

  /** Those that exist; a pod may name some that do not. */
  async #pullSecrets(pod: Pod): Promise<Secret[]> {
    const names = (pod.spec.imagePullSecrets ?? []).map(({ name }) => name ?? '').filter(Boolean)
    const found = await Promise.all(names.map((name) => this.#deps.objects.secret(pod.metadata.namespace ?? '', name).catch(() => null)))
    const missing = names.filter((_, i) => !found[i])
    if (missing.length) {
      const text = `Unable to retrieve some image pull secrets (${missing.join(', ')}); attempting to pull the image may not succeed.`
      this.#deps.events.event(podReference(pod), 'Warning', 'FailedToRetrieveImagePullSecret', text)
    }
    return found.filter((secret) => secret !== null)
  }
}

/** Milliseconds before what failed for a reason that may go away is tried again. */
const TRY_AGAIN = 10_000

function podIPsOf(pod: Pod, runtime: RuntimePod | undefined, node: NodeFacts): readonly string[] {
  return pod.spec.hostNetwork ? node.hostIPs : (readySandbox(runtime)?.ips ?? [])
}
