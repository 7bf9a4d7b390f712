/** The status of this node. Source: kubernetes `kubelet/nodestatus`. */
import type { ContainerImage, NodeAddress, NodeCondition, NodeStatus, NodeSystemInfo } from '../../../api/core/v1/types.gen.ts'
import { formatTime } from '../../../api/values/time.ts'
import type { ImageInfo } from '../../runtime/cri-types.ts'
import type { Pressure } from './pressure.ts'

export interface NodeStatusInput {
  readonly nodeName: string
  readonly nodeIPs: readonly string[]
  readonly capacity: Readonly<Record<string, string>>
  readonly allocatable: Readonly<Record<string, string>>
  readonly nodeInfo: NodeSystemInfo
  readonly images: readonly ImageInfo[]
  readonly port: number
  /** Why the node is not ready, each a sentence; none: it is. */
  readonly faults: readonly string[]
  readonly holds: (pressure: Pressure) => boolean
  readonly previous: readonly NodeCondition[]
  readonly now: number
}

const MOST_IMAGES = 50
const MOST_NAMES = 5

export function nodeStatus(input: NodeStatusInput): NodeStatus {
  const addresses: NodeAddress[] = [
    ...input.nodeIPs.map((address) => ({ type: 'InternalIP', address })),
    { type: 'Hostname', address: input.nodeName },
  ]
  return {
    addresses,
    capacity: { ...input.capacity },
    allocatable: { ...input.allocatable },
    conditions: conditions(input),
    daemonEndpoints: { kubeletEndpoint: { Port: input.port } },
    images: imagesOf(input.images),
    nodeInfo: input.nodeInfo,
  }
}

function conditions({ faults, holds, previous, now }: NodeStatusInput): NodeCondition[] {
  const pressure = (type: string, kind: Pressure, yes: [string, string], no: [string, string]) => {
    const on = holds(kind)
    const [reason, message] = on ? yes : no
    return { type, status: on ? 'True' : 'False', reason, message }
  }
  const drafts = [
    pressure(
      'MemoryPressure',
      'memory',
      ['KubeletHasInsufficientMemory', 'kubelet has insufficient memory available'],
      ['KubeletHasSufficientMemory', 'kubelet has sufficient memory available'],
    ),
    pressure(
      'DiskPressure',
      'disk',
      ['KubeletHasDiskPressure', 'kubelet has disk pressure'],
      ['KubeletHasNoDiskPressure', 'kubelet has no disk pressure'],
    ),
    pressure(
      'PIDPressure',
      'pid',
      ['KubeletHasInsufficientPID', 'kubelet has insufficient PID available'],
      ['KubeletHasSufficientPID', 'kubelet has sufficient PID available'],
    ),
    faults.length
      ? {
          type: 'Ready',
          status: 'False',
          reason: 'KubeletNotReady',
          message: faults.length === 1 ? (faults[0] ?? '') : `[${faults.join(', ')}]`,
        }
      : { type: 'Ready', status: 'True', reason: 'KubeletReady', message: 'kubelet is posting ready status' },
  ]
  return drafts.map((draft) => {
    const old = previous.find(({ type }) => type === draft.type)
    const lastTransitionTime = old?.status === draft.status && old.lastTransitionTime ? old.lastTransitionTime : formatTime(now)
    return { ...draft, lastHeartbeatTime: formatTime(now), lastTransitionTime }
  })
}

/** The largest, with a few of their names. */
function imagesOf(images: readonly ImageInfo[]): ContainerImage[] {
  return images
    .map(({ tags, digests, size }) => ({ names: [...digests, ...tags].slice(0, MOST_NAMES), sizeBytes: size }))
    .filter(({ names }) => names.length)
    .toSorted((a, b) => b.sizeBytes - a.sizeBytes)
    .slice(0, MOST_IMAGES)
}

/** Whether the API should hear of it before the next heartbeat: anything but the times of heartbeats differs. */
export function differs(a: NodeStatus, b: NodeStatus): boolean {
  const comparable = (status: NodeStatus) =>
    JSON.stringify({ ...status, conditions: status.conditions?.map(({ lastHeartbeatTime: _at, ...rest }) => rest) })
  return comparable(a) !== comparable(b)
}

/** Whether the API shows other conditions than those of this node: it was given up as silent, and is not. */
export function contradicts(shown: NodeStatus, own: NodeStatus): boolean {
  return (
    own.conditions?.some(({ type, status }) => shown.conditions?.find((condition) => condition.type === type)?.status !== status) ?? false
  )
}
