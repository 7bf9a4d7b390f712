/** Which pods were promised which nodes, and are not there yet. Source: kubernetes `scheduler/backend/queue/nominator.go`. */
import type { Nominated } from '../framework/descriptor.ts'
import { ChangeLog } from '../snapshot/change-log.ts'
import type { PodInfo } from '../snapshot/pod-info.ts'

const NOBODY: readonly PodInfo[] = Object.freeze([])

export class Nominator implements Nominated {
  /** Each list is made anew when it changes. */
  readonly #byNode = new Map<string, readonly PodInfo[]>()
  readonly #nodeOf = new Map<string, string>()
  readonly #shunning = new Set<string>()
  readonly changes = new ChangeLog()

  get size(): number {
    return this.#nodeOf.size
  }

  get shunning(): number {
    return this.#shunning.size
  }

  onNode(node: string): readonly PodInfo[] {
    return this.#byNode.get(node) ?? NOBODY
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
    this.changes.note(target)
    if (pod.terms.requiredAntiAffinity.length > 0) this.#shunning.add(pod.uid)
    this.#byNode.set(target, [...this.onNode(target), pod])
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
    this.#shunning.delete(uid)
    this.changes.note(node)
    const left = this.onNode(node).filter((other) => other.uid !== uid)
    if (left.length > 0) this.#byNode.set(node, left)
    else this.#byNode.delete(node)
  }
}
