/** The pods' side of a kubelet: its parts, each told of the others that it needs. */
import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import type { Pod, Service } from '../../api/core/v1/types.gen.ts'
import { PodCgroups } from '../cgroups/pod-cgroups.ts'
import type { SavedLister } from '../checkpoint/saved-lister.ts'
import { PAUSE_IMAGE } from '../../api/infra/v1alpha1/agent-config.ts'
import { createAdmission } from './admission/admission.ts'
import { Backoff } from './backoff.ts'
import { parseResolvConf } from './containers/dns.ts'
import { ContainerConfigError } from './containers/env.ts'
import { podReference } from './events.ts'
import { ImageGc } from './gc/image-gc.ts'
import { ImagePuller, withTag } from './images/image-puller.ts'
import type { KubeletDeps } from './kubelet-deps.ts'
import { diskSpace } from './node/machine.ts'
import type { NodeParts } from './node-parts.ts'
import { PodObjects } from './objects/pod-objects.ts'
import type { PodCache } from './pleg/pod-cache.ts'
import { findContainer, readySandbox } from './pleg/runtime-pod.ts'
import { Allocations } from './pods/allocations.ts'
import { PodManager } from './pods/pod-manager.ts'
import { createPodStages } from './pods/pod-stages.ts'
import type { PodStages } from './pods/pod-worker.ts'
import { createProbeRunner } from './probes/probe-runner.ts'
import { ProbeManager } from './probes/probe-manager.ts'
import { runtimeHandlers, tokenIssuer } from './service-requests.ts'
import { StatusManager } from './status/status-manager.ts'
import { ContainerStarter } from './sync/container-starter.ts'
import { createHookRunner } from './sync/hooks.ts'
import { Killer } from './sync/killer.ts'
import { PodSyncer } from './sync/pod-syncer.ts'
import { Resizer } from './sync/resizer.ts'
import { Claims } from './volumes/claims.ts'
import { PodPaths } from './volumes/pod-paths.ts'
import { TokenCache } from './volumes/tokens.ts'
import { VolumeManager } from './volumes/volume-manager.ts'
import { VolumeRenewal } from './volumes/volume-renewal.ts'

export interface PodParts extends AsyncDisposable {
  readonly manager: PodManager
  readonly stages: PodStages
  readonly killer: Killer
  readonly probes: ProbeManager
  readonly volumes: VolumeManager
  readonly statuses: StatusManager
  readonly objects: PodObjects
  readonly cgroups: PodCgroups
  readonly allocations: Allocations
  readonly imageGc: ImageGc
  readonly renewal: VolumeRenewal
}

const CRASH_BACKOFF = { initial: 10_000, max: 300_000 }
const RESOLV_CONF = '/etc/resolv.conf'
/** systemd-resolved's own file names servers that pods can reach; the usual one names a stub on the node. */
const RESOLVED_CONF = '/run/systemd/resolve/resolv.conf'

export function createPodParts(deps: KubeletDeps, node: NodeParts, cache: PodCache, services: SavedLister<Service>): PodParts {
  const { config, clock, random, logger, client, events, checkpoints, cri, mounts } = deps
  const facts = () => node.facts()
  const paths = new PodPaths(config.stateDir)
  const objects = new PodObjects({ client, checkpoints, clock, random, logger, retryNow: deps.reconnected })
  const cgroups = new PodCgroups(deps.cgroups, config.cgroupRoot ?? '/flotilla', logger)
  const allocations = new Allocations(join(config.stateDir, 'allocations.json'), { random, logger })
  const statuses = new StatusManager({ client, clock, logger })
  const disk = () => diskSpace(node.imageDisk())
  const imageGc = new ImageGc({ cri, clock, logger, disk, keep: [PAUSE_IMAGE] })
  const images = new ImagePuller({ cri, clock, events, onUse: (id) => imageGc.touch(id) })
  const hooks = createHookRunner({ cri, clock })
  const killer = new Killer({ cri, clock, logger, events, hooks })
  const backoff = new Backoff(clock, CRASH_BACKOFF)
  const tokens = new TokenCache(tokenIssuer(client), { clock, random, logger, file: (uid) => paths.tokens(uid) })
  const token = tokens.get.bind(tokens)
  const claims = new Claims({ client, paths, random })

  const pullVolumeImage = async (pod: Pod, image: string, policy: string) => {
    const names = (pod.spec.imagePullSecrets ?? []).map(({ name }) => name ?? '')
    const secrets = await Promise.all(names.map((name) => objects.secret(pod.metadata.namespace ?? '', name).catch(() => null)))
    const wish = {
      pod,
      image,
      policy: policy as 'Always',
      about: podReference(pod),
      secrets: secrets.filter((s) => s !== null),
      sandbox: null,
    }
    await images.ensure(wish, new AbortController().signal)
    const details = await cri.imageDetails(withTag(image) ?? image)
    if (details?.chainId === undefined) throw new Error(`the container runtime does not tell the layers of image ${image}`)
    return details.chainId
  }
  const claim = (pod: Pod, name: string) => claims.resolve(pod, name)
  const volumes = new VolumeManager({ paths, mounts, images: deps.images, pullVolumeImage, claim, now: () => clock.now() })

  const probes = new ProbeManager({
    clock,
    random,
    run: createProbeRunner({ cri, clock }),
    events,
    container: (uid, name) => {
      const container = findContainer(cache.get(uid), name)
      return container ? { containerId: container.id, running: container.state === 'running', startedAt: container.startedAt } : null
    },
    pod: (uid) => {
      const state = manager.get(uid)?.state
      if (!state) return null
      const sandbox = readySandbox(cache.get(uid))
      const address = state.pod.spec.hostNetwork ? config.nodeIP : (sandbox?.ips[0] ?? '')
      return { pod: state.pod, address, terminating: state.mustEnd }
    },
  })

  const starter = new ContainerStarter({
    ...{ cri, clock, random, logger, events, images, volumes, paths, objects, hooks, killer, backoff },
    node: facts,
    services: async () => {
      if (services.known) return services.list()
      throw new ContainerConfigError('services have not yet been read at least once, cannot construct envvars')
    },
    nodeHosts: () => readFile('/etc/hosts', 'utf8').catch(() => ''),
  })
  const syncer = new PodSyncer({
    ...{ cri, clock, logger, events, cache, volumes, probes, objects, cgroups, killer, starter, token },
    resizer: new Resizer({ cri, cgroups, killer, events, allocations }),
    node: facts,
    nodeDns: async () => parseResolvConf(await readResolvConf()),
    networkFault: () => node.health.runtimeFault ?? node.health.networkFault,
    runtimeHandler: runtimeHandlers(client),
  })
  const stages = createPodStages({
    ...{ cri, clock, cache, syncer, killer, statuses, probes, volumes, cgroups, objects, tokens, images, backoff, allocations },
    node: facts,
  })
  const renewal = new VolumeRenewal({
    ...{ clock, logger, events, volumes, tokens },
    pod: (uid) => {
      const worker = manager.get(uid)
      return worker?.stage === 'running' ? worker.state.pod : null
    },
    input: (pod) => syncer.payloadInput(pod, cache.get(pod.metadata.uid)),
  })
  const admission = createAdmission({
    node: () => node.manager.node,
    nodeName: config.nodeName,
    allocatable: () => facts().allocatable,
    sysctls: new Set(),
    holds: (pressure) => node.holds(pressure),
  })
  const manager = new PodManager({
    ...{ clock, logger, events, checkpoints, allocations, admission, cache, objects, statuses, stages, probes },
    nodeName: config.nodeName,
    onMetadata: ({ metadata }) => renewal.renew(metadata.uid),
  })

  return {
    ...{ manager, stages, killer, probes, volumes, statuses, objects, cgroups, allocations, imageGc, renewal },
    async [Symbol.asyncDispose]() {
      await manager[Symbol.asyncDispose]()
      renewal[Symbol.dispose]()
      probes[Symbol.dispose]()
      await objects[Symbol.asyncDispose]()
      await statuses[Symbol.asyncDispose]()
    },
  }
}

async function readResolvConf(): Promise<string> {
  const usual = await readFile(RESOLV_CONF, 'utf8').catch(() => '')
  if (!parseResolvConf(usual).servers.some((server) => server.startsWith('127.0.0.53'))) return usual
  return readFile(RESOLVED_CONF, 'utf8').catch(() => usual)
}
