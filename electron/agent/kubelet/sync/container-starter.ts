/** Makes and starts one container, from its image to its postStart hook. Source: kubernetes `kuberuntime_container.go`. */
import { mkdir } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import type { Clock } from '../../../base/clock.ts'
import { messageOf } from '../../../base/errors.ts'
import type { Logger } from '../../../base/logger.ts'
import type { Random } from '../../../base/random.ts'
import type { Container, Pod, Secret, Service } from '../../../api/core/v1/types.gen.ts'
import { formatDuration } from '../../../api/values/duration.ts'
import type { ImageInfo } from '../../runtime/cri-types.ts'
import type { ContainerConfig, Cri, SandboxConfig } from '../../runtime/cri.ts'
import { detailOf } from '../../runtime/runtime-error.ts'
import type { Backoff } from '../backoff.ts'
import { containerConfig, containerHash } from '../containers/container-config.ts'
import { ContainerConfigError, makeEnvironment } from '../containers/env.ts'
import type { ReferencedObjects } from '../containers/env.ts'
import { nodeHostsFile, podHostName, podHostsFile } from '../containers/hosts-file.ts'
import { makeMounts } from '../containers/mounts.ts'
import { serviceEnvironment } from '../containers/service-env.ts'
import { containerReference } from '../events.ts'
import type { EventSink } from '../events.ts'
import { ImageError } from '../images/image-puller.ts'
import type { ImagePuller } from '../images/image-puller.ts'
import type { NodeFacts } from '../node/node-facts.ts'
import type { RuntimeContainer, RuntimePod } from '../pleg/runtime-pod.ts'
import { findContainer, restartCountOf } from '../pleg/runtime-pod.ts'
import { podText } from '../pods/names.ts'
import type { Waiting } from '../status/container-statuses.ts'
import type { PodPaths } from '../volumes/pod-paths.ts'
import type { VolumeManager } from '../volumes/volume-manager.ts'
import type { HookRunner } from './hooks.ts'
import type { Killer } from './killer.ts'

export interface StarterDeps {
  readonly cri: Cri
  readonly clock: Clock
  readonly random: Random
  readonly logger: Logger
  readonly events: EventSink
  readonly images: ImagePuller
  readonly volumes: VolumeManager
  readonly paths: PodPaths
  readonly objects: ReferencedObjects
  readonly hooks: HookRunner
  readonly killer: Killer
  /** By `backoffKey`. */
  readonly backoff: Backoff
  readonly node: () => NodeFacts
  /** All Services; rejects while they are not known. */
  readonly services: () => Promise<readonly Service[]>
  /** The node's own /etc/hosts. */
  readonly nodeHosts: () => Promise<string>
}

export interface StartInput {
  readonly pod: Pod
  readonly container: Container
  readonly runtime: RuntimePod | undefined
  readonly sandboxId: string
  readonly sandbox: SandboxConfig
  /** The pod's; of the node with the node's network. */
  readonly podIPs: readonly string[]
  readonly pullSecrets: readonly Secret[]
}

/** Why a container was not started, and when it may be tried again, in milliseconds. */
export interface NotStarted extends Waiting {
  readonly retryIn: number | undefined
}

export function backoffKey(pod: Pod, container: Container): string {
  return `${pod.metadata.uid}/${container.name}/${containerHash(container)}`
}

class StepError extends Error {
  readonly reason: string

  constructor(reason: string, message: string) {
    super(message)
    this.reason = reason
  }
}

export class ContainerStarter {
  readonly #deps: StarterDeps

  constructor(deps: StarterDeps) {
    this.#deps = deps
  }

  /** null when it runs. Throws only the signal's reason. */
  async start(input: StartInput, signal: AbortSignal): Promise<NotStarted | null> {
    const { pod, container, runtime } = input
    const { events, logger } = this.#deps
    const about = containerReference(pod, container.name)
    const resting = this.#backOff(pod, container, findContainer(runtime, container.name))
    if (resting) return resting
    try {
      await this.#run(input, signal)
      return null
    } catch (error) {
      signal.throwIfAborted()
      if (error instanceof ImageError) {
        events.event(about, 'Warning', 'Failed', `Error: ${error.reason}`)
        return { reason: error.reason, message: error.message, retryIn: error.retryIn }
      }
      const reason = error instanceof StepError ? error.reason : 'CreateContainerConfigError'
      const message = messageOf(error)
      if (reason !== 'PostStartHookError') events.event(about, 'Warning', 'Failed', `Error: ${message}`)
      logger.info('a container was not started', { pod: podText(pod), container: container.name, reason, error: message })
      return { reason, message, retryIn: undefined }
    }
  }

  #backOff(pod: Pod, container: Container, latest: RuntimeContainer | undefined): NotStarted | null {
    if (latest?.state !== 'exited') return null
    const { backoff, events } = this.#deps
    const key = backoffKey(pod, container)
    const wait = backoff.remaining(key, latest.finishedAt)
    if (wait > 0) {
      const text = `restarting failed container`
      const about = containerReference(pod, container.name)
      events.event(about, 'Warning', 'BackOff', `Back-off ${text} ${container.name} in pod ${podText(pod)}`)
      const message = `back-off ${formatDuration(backoff.delay(key))} ${text}=${container.name} pod=${podText(pod)}`
      return { reason: 'CrashLoopBackOff', message, retryIn: wait }
    }
    backoff.next(key, latest.finishedAt)
    return null
  }

  async #run(input: StartInput, signal: AbortSignal): Promise<void> {
    const { pod, container, runtime, sandboxId, sandbox, podIPs } = input
    const { cri, events, images } = this.#deps
    const about = containerReference(pod, container.name)
    const policy = container.imagePullPolicy ?? 'IfNotPresent'
    const wish = { pod, image: container.image ?? '', policy, about, secrets: input.pullSecrets, sandbox }
    const image = await images.ensure(wish, signal)
    const config = await this.#config(input, image)
    await mkdir(dirname(join(sandbox.logDirectory ?? '', config.logPath ?? '')), { recursive: true, mode: 0o755 })
    const leftover = findContainer(runtime, container.name)
    // One that was made and never started would stand in the way of its name.
    if (leftover?.state === 'created') await cri.removeContainer(leftover.id)
    signal.throwIfAborted()
    const id = await step('CreateContainerError', () => cri.createContainer(sandboxId, config, sandbox))
    events.event(about, 'Normal', 'Created', 'Container created')
    await step('RunContainerError', () => cri.startContainer(id))
    events.event(about, 'Normal', 'Started', 'Container started')
    if (container.lifecycle?.postStart) await this.#postStart(pod, container, id, podIPs[0] ?? '', signal)
  }

  async #config(input: StartInput, image: ImageInfo): Promise<ContainerConfig> {
    const { pod, container, runtime, podIPs } = input
    const { events, objects, volumes, paths, random } = this.#deps
    const node = this.#deps.node()
    const services = await this.#deps.services()
    const env = await makeEnvironment({
      pod,
      container,
      addresses: { podIPs, hostIPs: node.hostIPs },
      allocatable: node.allocatable,
      objects,
      services: serviceEnvironment(services, pod.metadata.namespace ?? '', pod.spec.enableServiceLinks ?? true),
      onSkipped: (source, keys) => {
        const text = `Keys [${keys.join(', ')}] from the EnvFrom ${source} were skipped since they are considered invalid environment variable names.`
        events.event(containerReference(pod, container.name), 'Warning', 'InvalidEnvironmentVariableNames', text)
      },
    })
    const mounts = await makeMounts({ pod, container, env, volumes, paths, random, hostsFile: await this.#hostsFile(pod, podIPs) })
    const latest = findContainer(runtime, container.name)
    const restartCount = latest ? restartCountOf(latest) + 1 : 0
    return containerConfig({ pod, container, restartCount, image, env, mounts, node, targetId: targetOf(container, runtime) })
  }

  async #hostsFile(pod: Pod, podIPs: readonly string[]): Promise<string> {
    const { hostNetwork, hostAliases } = pod.spec
    if (hostNetwork) return nodeHostsFile(await this.#deps.nodeHosts(), hostAliases)
    return podHostsFile(podIPs, podHostName(pod, this.#deps.node().clusterDomain), hostAliases)
  }

  async #postStart(pod: Pod, container: Container, containerId: string, address: string, signal: AbortSignal): Promise<void> {
    const { hooks, events, killer, cri } = this.#deps
    try {
      await hooks(container.lifecycle?.postStart ?? {}, { container, containerId, address }, signal)
    } catch (error) {
      signal.throwIfAborted()
      // What the handler said may hold secrets: not for events.
      events.event(containerReference(pod, container.name), 'Warning', 'FailedPostStartHook', 'PostStartHook failed')
      const status = await cri.containerStatus(containerId)
      const made: RuntimeContainer = { ...status, sandboxId: '', terminationMessage: '' }
      await killer.killContainer(pod, address, made, { reason: 'hook', message: 'FailedPostStartHook', signal })
      throw new StepError('PostStartHookError', messageOf(error))
    }
  }
}

async function step<T>(reason: string, run: () => Promise<T>): Promise<T> {
  try {
    return await run()
  } catch (error) {
    throw new StepError(reason, detailOf(error))
  }
}

/** An ephemeral container may look into another one's processes. */
function targetOf(container: Container & { targetContainerName?: string }, runtime: RuntimePod | undefined): string | undefined {
  if (!container.targetContainerName) return undefined
  const target = findContainer(runtime, container.targetContainerName)
  if (!target || target.state !== 'running')
    throw new ContainerConfigError(`unable to find target container ${container.targetContainerName}`)
  return target.id
}
