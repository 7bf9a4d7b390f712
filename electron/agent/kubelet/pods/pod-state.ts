/** What the kubelet remembers of a pod between two looks at it. */
import type { Pod, PodCondition, PodStatus } from '../../../api/core/v1/types.gen.ts'
import type { Waiting } from '../status/container-statuses.ts'

export class PodState {
  /** As wanted, with the resources that this node has allocated to it. */
  pod: Pod
  /** As last computed here; before that as the API had it. */
  status: PodStatus
  /** By container: why it does not run. */
  readonly waiting = new Map<string, Waiting>()
  /** Why the node ends the pod, if it does. */
  failure: Waiting | null = null
  /** The node never took the pod. */
  rejected = false
  /** Seconds that override what the pod says, if the node ends it. */
  failureGrace: number | undefined
  /** Whether the API has it no more. */
  removed = false
  /** Further conditions of this node's; with status "" they are taken away. */
  conditions: readonly Pick<PodCondition, 'type' | 'status' | 'reason' | 'message'>[] = []

  #adopted: boolean

  /** `fromDisk`: the API server has not shown it yet. */
  constructor(pod: Pod, fromDisk = false) {
    this.pod = pod
    this.status = pod.status
    this.#adopted = !fromDisk
  }

  /**
   * The API server's word on a pod that was begun from disk, where its status may be old: what never changes, what was said of its
   * containers, and since when conditions are as they are. False if that is known.
   */
  adopt(told: PodStatus): boolean {
    if (this.#adopted) return false
    this.#adopted = true
    const { startTime, qosClass, conditions = [] } = told
    const unknown = (this.status.conditions ?? []).filter(({ type }) => !conditions.some((condition) => condition.type === type))
    this.pod = { ...this.pod, status: told }
    this.status = {
      ...this.status,
      ...(startTime === undefined ? {} : { startTime }),
      ...(qosClass === undefined ? {} : { qosClass }),
      conditions: [...conditions, ...unknown],
    }
    return true
  }

  get uid(): string {
    return this.pod.metadata.uid
  }

  get mustEnd(): boolean {
    return this.removed || this.failure !== null || this.pod.metadata.deletionTimestamp !== undefined
  }

  /** Milliseconds since the epoch; null before the pod was accepted. */
  get startedAt(): number | null {
    return this.status.startTime === undefined ? null : Date.parse(this.status.startTime)
  }
}
