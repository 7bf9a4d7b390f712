/** Which pods were promised which nodes, and are not there yet. Source: kubernetes `scheduler/backend/queue/nominator.go`. */
import type { Nominated } from '../framework/descriptor.ts'
import type { PodInfo } from '../snapshot/pod-info.ts'

const NOBODY: readonly PodInfo[] = Object.freeze([])

export class Nominator implements Nominated {
  readonly #byNode = new Map<string, Map<string, PodInfo>>()
  readonly #nodeOf = new Map<string, string>()

  get size(): number {
    return this.#nodeOf.size
  }

  onNode(node: string): readonly PodInfo[] {
    const pods = this.#byNode.get(node)
    return pods ? [...pods.values()] : NOBODY
  }

  nodeOf(uid: string): string | undefined {
    return this.#nodeOf.get(uid)
  }

  /** `node` is the scheduler's word: "" takes the promise back; absent: as the pod's status says. */
  set(pod: PodInfo, node: string | undefined): void {
    this.delete(pod.uid)
    const target = node ?? pod.pod.status.nominatedNodeName ?? ''
    if (!target) return
    this.#nodeOf.set(pod.uid, target)
    const pods = this.#byNode.get(target)
    if (pods) pods.set(pod.uid, pod)
    else this.#byNode.set(target, new Map([[pod.uid, pod]]))
  }

  /** A new state of the pod. Where neither state names a node, an own promise that is not written down yet is kept. */
  update(old: PodInfo, pod: PodInfo): void {
    const isSilent = !old.pod.status.nominatedNodeName && !pod.pod.status.nominatedNodeName
    const kept = isSilent ? this.#nodeOf.get(old.uid) : undefined
    this.delete(old.uid)
    this.set(pod, kept)
  }

  delete(uid: string): void {
    const node = this.#nodeOf.get(uid)
    if (node === undefined) return
    this.#nodeOf.delete(uid)
    const pods = this.#byNode.get(node)
    pods?.delete(uid)
    if (pods?.size === 0) this.#byNode.delete(node)
  }
}
