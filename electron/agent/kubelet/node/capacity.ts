/** What the node has, and what of it pods may have. Source: kubernetes `kubelet/nodestatus`, `kubelet/eviction/defaults_linux.go`. */
import { compareQuantity, formatQuantity, subQuantity } from '../../../api/values/quantity.ts'

export interface CapacityInput {
  readonly cpus: number
  readonly memoryBytes: number
  readonly diskBytes: number
  /** Kept from pods: quantities by resource. */
  readonly reserved: Readonly<Record<string, string>>
  readonly maxPods: number
}

export const MAX_PODS = 110
/** Pods are ended when less than this is left, so it cannot be given away. */
export const MEMORY_RESERVE = '100Mi'
export const DISK_RESERVE = 0.1

export type Resources = Readonly<Record<string, string>>

export function capacityOf({ cpus, memoryBytes, diskBytes, maxPods }: CapacityInput): Resources {
  return {
    cpu: String(cpus),
    'ephemeral-storage': `${Math.floor(diskBytes / 1024)}Ki`,
    'hugepages-1Gi': '0',
    'hugepages-2Mi': '0',
    memory: `${Math.floor(memoryBytes / 1024)}Ki`,
    pods: String(maxPods),
  }
}

export function allocatableOf(input: CapacityInput): Resources {
  const capacity = capacityOf(input)
  const kept: Record<string, string> = { ...input.reserved }
  kept['memory'] = sum(kept['memory'], MEMORY_RESERVE)
  kept['ephemeral-storage'] = sum(kept['ephemeral-storage'], String(Math.ceil(input.diskBytes * DISK_RESERVE)))
  return Object.fromEntries(
    Object.entries(capacity).map(([name, quantity]) => {
      const left = subQuantity(quantity, kept[name] ?? '0')
      return [name, compareQuantity(left, '0') < 0 ? '0' : formatQuantity(left)]
    }),
  )
}

function sum(a: string | undefined, b: string): string {
  return formatQuantity(subQuantity(a ?? '0', subQuantity('0', b)))
}
