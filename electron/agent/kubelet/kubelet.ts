/** The kubelet: runs the pods that the API server assigns to this node, and goes on with them when it does not answer. */
import { isAbort } from '../../base/async.ts'
import { deadline } from '../../base/clock.ts'
import { component, startIn, componentWith } from '../../base/lifecycle.ts'
import type { Component } from '../../base/lifecycle.ts'
import { node as nodeKind } from '../../api/core/v1/node.ts'
import { pod as podKind } from '../../api/core/v1/pod.ts'
import { service as serviceKind } from '../../api/core/v1/service.ts'
import { createSavedLister } from '../checkpoint/saved-lister.ts'
import { createEvictionManager } from './eviction/eviction-manager.ts'
import { createHousekeeping } from './gc/housekeeping.ts'
import type { KubeletDeps } from './kubelet-deps.ts'
import { createNodeParts } from './node-parts.ts'
import type { NodeParts } from './node-parts.ts'
import { createPodCache } from './pleg/pod-cache.ts'
import type { PodCache } from './pleg/pod-cache.ts'
import { readTerminationMessage } from './pleg/termination-message.ts'
import { createPodParts } from './pod-parts.ts'
import type { PodParts } from './pod-parts.ts'

export interface Kubelet extends Component {
  readonly pods: PodParts
  readonly cache: PodCache
  readonly node: NodeParts
}

/** Milliseconds for the last statuses to reach the API server when the agent stops. */
const FAREWELL = 2000

/**
 * Containers are left as they are when it stops, and found again when it starts. `start` waits for the container runtime's first
 * answer, not for the API server.
 */
export function createKubelet(deps: KubeletDeps): Kubelet {
  const { config, clock, logger, cri, runtimeEvents, informers, checkpoints } = deps
  const cache = createPodCache({ cri, events: runtimeEvents, clock, logger, terminationMessage: readTerminationMessage })
  const services = createSavedLister(informers.for(serviceKind), checkpoints)
  const node = createNodeParts({ ...deps, lastRelist: () => cache.lastRelist })
  const pods = createPodParts(deps, node, cache, services)
  const podInformer = informers.for(podKind, { fieldSelector: `spec.nodeName=${config.nodeName}` })
  const nodeInformer = informers.for(nodeKind)
  let synced = false

  const base = component(async (stack, signal) => {
    await startIn(stack, cache, signal)
    await startIn(stack, services, signal)
    await startIn(stack, node, signal)
    await pods.allocations.load()
    stack.use(pods)
    stack.defer(async () => {
      using limit = deadline(clock, FAREWELL)
      await pods.statuses.flush(limit.signal)
    })
    await pods.manager.restore()

    stack.use(cache.changed.on((uid) => pods.manager.wake(uid)))
    stack.use(pods.probes.changed.on((uid) => pods.manager.wake(uid)))
    stack.use(
      pods.objects.changed.on((uid) => {
        pods.renewal.renew(uid)
        pods.manager.wake(uid)
      }),
    )
    stack.use(node.health.changed.on(() => pods.manager.wakeAll()))
    const own = (name: string) => name === config.nodeName
    stack.use(
      nodeInformer.on({
        add: (object) => own(object.metadata.name) && node.manager.observe(object),
        update: (object) => own(object.metadata.name) && node.manager.observe(object),
      }),
    )
    stack.use(
      podInformer.on({
        add: (pod) => pods.manager.set(pod),
        update: (pod, old) => {
          // Another pod has taken the name.
          if (old.metadata.uid !== pod.metadata.uid) pods.manager.delete(old)
          pods.manager.set(pod)
        },
        delete: (pod) => pods.manager.delete(pod),
      }),
    )
    void podInformer
      .whenSynced(signal)
      .then(async () => {
        await pods.manager.synced(podInformer.list())
        synced = true
      })
      .catch((error: unknown) => {
        if (!isAbort(error)) logger.error('the pods of this node were not taken over', { error })
      })
    const { manager, volumes, cgroups, imageGc } = pods
    const rotation = deps.logRotation ? { logRotation: deps.logRotation } : {}
    const housekeeping = { cri, cache, clock, logger, pods: manager, volumes, cgroups, images: imageGc, synced: () => synced, ...rotation }
    await startIn(stack, createHousekeeping(housekeeping), signal)
    const eviction = {
      ...{ cri, cache, clock, logger, events: deps.events, pods: manager, volumes, images: imageGc, sampler: deps.sampler },
      signals: () => node.measure(),
      logRoot: () => node.facts().logRoot,
    }
    await startIn(stack, createEvictionManager(eviction), signal)
  })

  return componentWith(base, {
    pods,
    cache,
    node,
  })
}
