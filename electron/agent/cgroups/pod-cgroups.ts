/** A group of resources for each pod, below those of the three classes of service. Source: kubernetes `kubelet/cm`. */
import { messageOf } from '../../base/errors.ts'
import type { Logger } from '../../base/logger.ts'
import type { Pod } from '../../api/core/v1/types.gen.ts'
import { aggregateContainerResources, podLimits, podRequests, qosClass } from '../../api/core/v1/pod-resources.ts'
import { CPU_PERIOD, bytesOf, cpuQuota, cpuShares, milliOf } from '../kubelet/containers/resources.ts'
import type { CgroupTree, GroupLimits } from './hierarchy.ts'

export class PodCgroups {
  readonly #tree: CgroupTree
  readonly #root: string
  readonly #logger: Logger
  readonly #made = new Set<string>()
  #usable = true

  /** `root` from the top of the tree: "/flotilla". */
  constructor(tree: CgroupTree, root: string, logger: Logger) {
    this.#tree = tree
    this.#root = root
    this.#logger = logger
  }

  get version(): 1 | 2 {
    return this.#tree.version
  }

  /** Makes the pod's group, once, and returns its path; null where groups cannot be made, and containers have only their own. */
  async ensure(pod: Pod): Promise<string | null> {
    if (!this.#usable) return null
    const path = this.#pathOf(pod)
    if (this.#made.has(pod.metadata.uid)) return path
    try {
      await this.#tree.ensure(this.#classPath('BestEffort'), { cpuShares: cpuShares(0) })
      await this.#tree.ensure(path, groupLimits(pod))
      this.#made.add(pod.metadata.uid)
      return path
    } catch (error) {
      if (this.#made.size > 0) throw error
      this.#usable = false
      this.#logger.warn('no groups of resources can be made for pods: their limits hold for each container alone', {
        error: messageOf(error),
      })
      return null
    }
  }

  /** Sets the limits of a pod that has a group. */
  async update(pod: Pod): Promise<void> {
    if (this.#usable) await this.#tree.ensure(this.#pathOf(pod), groupLimits(pod))
  }

  /** After the pod's containers have ended; false if some have not. */
  async remove(pod: Pod): Promise<boolean> {
    this.#made.delete(pod.metadata.uid)
    return this.#usable ? this.#tree.remove(this.#pathOf(pod)) : true
  }

  /** Removes groups of pods that there are none of any more. */
  async removeOthers(uids: ReadonlySet<string>): Promise<void> {
    for (const name of ['Guaranteed', 'Burstable', 'BestEffort'] as const) {
      const folder = this.#classPath(name)
      for (const child of await this.#tree.children(folder)) {
        const uid = /^pod(.+)$/.exec(child)?.[1]
        if (uid !== undefined && !uids.has(uid)) await this.#tree.remove(`${folder}/${child}`)
      }
    }
  }

  /** The shares of the class grow with what its pods ask for, so that classes get what their pods were promised. */
  async updateClasses(pods: readonly Pod[]): Promise<void> {
    if (!this.#usable) return
    const milli = pods.filter((pod) => classOf(pod) === 'Burstable').reduce((sum, { spec }) => sum + milliOf(podRequests(spec)['cpu']), 0)
    await this.#tree.ensure(this.#classPath('Burstable'), { cpuShares: cpuShares(milli) }).catch((error: unknown) => {
      this.#logger.debug('could not set the shares of a class of service', { error: messageOf(error) })
    })
  }

  #pathOf(pod: Pod): string {
    return `${this.#classPath(classOf(pod))}/pod${pod.metadata.uid}`
  }

  #classPath(name: 'Guaranteed' | 'Burstable' | 'BestEffort'): string {
    const pods = `${this.#root}/kubepods`
    return name === 'Guaranteed' ? pods : `${pods}/${name.toLowerCase()}`
  }
}

function classOf(pod: Pod) {
  return pod.status.qosClass ?? qosClass(pod)
}

/** Limits hold for the pod as a whole if all its containers have them. */
function groupLimits(pod: Pod): GroupLimits {
  const { spec } = pod
  const containers = [...spec.containers, ...(spec.initContainers ?? [])]
  const all = (name: string) =>
    spec.resources?.limits?.[name] !== undefined || containers.every(({ resources }) => bytesOf(resources.limits?.[name]) > 0)
  const limits = podLimits(spec)
  const requests = podRequests(spec)
  const hasRequests = Object.keys(aggregateContainerResources(spec, 'requests')).length > 0 || spec.resources !== undefined
  return {
    cpuShares: cpuShares(hasRequests ? milliOf(requests['cpu']) : 0),
    ...(all('cpu') ? { cpuQuota: cpuQuota(milliOf(limits['cpu'])), cpuPeriod: CPU_PERIOD } : {}),
    ...(all('memory') ? { memoryBytes: bytesOf(limits['memory']) } : {}),
  }
}
