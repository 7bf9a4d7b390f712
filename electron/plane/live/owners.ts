/** Which pods a workload made, and how the worst of them does. Kept from the tables of pods and ReplicaSets. */
import type { Pod } from '../../api/core/v1/types.gen.ts'
import type { KubeObject } from '../../api/meta/v1/object.ts'
import { controllerOf, workloadKey, workloadOf, type WorkloadRef } from '../../contracts/lists/owners.ts'
import { podView, type PodView } from '../../contracts/lists/pod-status.ts'
import { isTrouble } from '../../contracts/lists/tone.ts'
import type { ListTable, Row } from './table.ts'

export class Owners {
  /** Pods by the uid of their controller. */
  readonly #pods = new Map<string, Set<Row>>()
  readonly #controllerOfPod = new Map<string, string>()
  readonly #sets = new Map<string, KubeObject>()
  /** ReplicaSets by the uid of what owns them. */
  readonly #setsOf = new Map<string, Set<string>>()
  readonly #worst = new Map<string, PodView | null>()
  readonly #now: () => number
  readonly #tell: (uid: string) => void

  /** `tell` is called with the uid of a workload whose pods have changed. */
  constructor(now: () => number, tell: (uid: string) => void) {
    this.#now = now
    this.#tell = tell
  }

  followPods(table: ListTable): Disposable {
    for (const row of table.rows.values()) this.#pod(row, false)
    return table.on({ changed: (row, gone) => this.#pod(row, gone) })
  }

  /** `touch` reads a pod again whose place in the tree has become known. */
  followSets(table: ListTable, touch: (uid: string) => void): Disposable {
    for (const row of table.rows.values()) this.#set(row, false)
    return table.on({
      changed: (row, gone) => {
        const late = !gone && !this.#sets.has(row.uid) ? [...(this.#pods.get(row.uid) ?? [])] : []
        this.#set(row, gone)
        for (const pod of late) touch(pod.uid)
      },
    })
  }

  workload(pod: KubeObject): WorkloadRef {
    return workloadOf(pod, (uid) => this.#sets.get(uid))
  }

  key(pod: KubeObject): string {
    return workloadKey(this.workload(pod))
  }

  /** Whether the owner with this uid made the pod, by itself or by a ReplicaSet of its. */
  isUnder(pod: KubeObject, uid: string): boolean {
    const controller = controllerOf(pod)
    if (!controller) return false
    if (controller.uid === uid) return true
    const set = this.#sets.get(controller.uid)
    return set !== undefined && controllerOf(set)?.uid === uid
  }

  worst(uid: string): PodView | undefined {
    let known = this.#worst.get(uid)
    if (known === undefined) this.#worst.set(uid, (known = this.#search(uid)))
    return known ?? undefined
  }

  #search(uid: string): PodView | null {
    let worst: PodView | null = null
    for (const owner of [uid, ...(this.#setsOf.get(uid) ?? [])]) {
      for (const row of this.#pods.get(owner) ?? []) {
        const view = podView(row.object as Pod, this.#now())
        if (isTrouble(view.tone) && view.rank < (worst?.rank ?? 9)) worst = view
      }
    }
    return worst
  }

  #pod(row: Row, gone: boolean): void {
    const uid = controllerOf(row.object)?.uid
    const before = this.#controllerOfPod.get(row.uid)
    if (before !== undefined && (gone || before !== uid)) {
      this.#controllerOfPod.delete(row.uid)
      remove(this.#pods, before, row)
      this.#changed(before)
    }
    if (gone || uid === undefined) return
    this.#controllerOfPod.set(row.uid, uid)
    add(this.#pods, uid, row)
    this.#changed(uid)
  }

  #set({ uid, object }: Row, gone: boolean): void {
    const owner = controllerOf(object)?.uid
    if (gone) this.#sets.delete(uid)
    else this.#sets.set(uid, object)
    if (owner === undefined) return
    if (gone) remove(this.#setsOf, owner, uid)
    else if (!this.#setsOf.get(owner)?.has(uid)) add(this.#setsOf, owner, uid)
    else return
    this.#changed(owner)
  }

  #changed(uid: string): void {
    const set = this.#sets.get(uid)
    const above = set && controllerOf(set)?.uid
    for (const each of above === undefined ? [uid] : [uid, above]) {
      this.#worst.delete(each)
      this.#tell(each)
    }
  }
}

function add<K, V>(map: Map<K, Set<V>>, key: K, value: V): void {
  const set = map.get(key)
  if (set) set.add(value)
  else map.set(key, new Set([value]))
}

function remove<K, V>(map: Map<K, Set<V>>, key: K, value: V): void {
  const set = map.get(key)
  set?.delete(value)
  if (set?.size === 0) map.delete(key)
}
