/** Taints of devices and who bears them (KEP-5055). Source: kubernetes `dynamic-resource-allocation/resourceclaim`. */
import type { DeviceTaint, DeviceToleration } from '../../api/resource/v1/types.gen.ts'

/** An empty key with Exists bears everything; an empty effect bears all effects. */
export function toleratesDevice({ key, operator, value = '', effect }: DeviceToleration, taint: DeviceTaint): boolean {
  if (effect && effect !== taint.effect) return false
  if (key && key !== taint.key) return false
  return operator === 'Exists' || value === (taint.value ?? '')
}

/** When a pod that uses the device has to go, in milliseconds since the epoch; null: never. */
export function deviceEvictionTime(taints: readonly DeviceTaint[], tolerations: readonly DeviceToleration[]): number | null {
  let first: number | null = null
  for (const taint of taints) {
    if (taint.effect !== 'NoExecute') continue
    const borne = tolerations.filter((one) => toleratesDevice(one, taint))
    if (borne.some(({ tolerationSeconds }) => tolerationSeconds === undefined)) continue
    const patience = Math.max(0, ...borne.map(({ tolerationSeconds = 0 }) => tolerationSeconds)) * 1000
    const at = (Date.parse(taint.timeAdded ?? '') || 0) + patience
    first = Math.min(first ?? at, at)
  }
  return first
}
