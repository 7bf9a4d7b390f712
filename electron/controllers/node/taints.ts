/** Taints of nodes and what bears them. Source: kubernetes `component-helpers/scheduling/corev1`. */
import type { Taint, Toleration } from '../../api/core/v1/types.gen.ts'

export const NOT_READY = 'node.kubernetes.io/not-ready'
export const UNREACHABLE = 'node.kubernetes.io/unreachable'
export const UNSCHEDULABLE = 'node.kubernetes.io/unschedulable'
export const MEMORY_PRESSURE = 'node.kubernetes.io/memory-pressure'
export const DISK_PRESSURE = 'node.kubernetes.io/disk-pressure'
export const PID_PRESSURE = 'node.kubernetes.io/pid-pressure'
export const NETWORK_UNAVAILABLE = 'node.kubernetes.io/network-unavailable'
export const OUT_OF_SERVICE = 'node.kubernetes.io/out-of-service'

export type Effect = Taint['effect']

/** An absent effect, and an absent key with Exists, stand for all. */
export function tolerates({ key, operator, value, effect }: Toleration, taint: Taint): boolean {
  if (effect && effect !== taint.effect) return false
  if (key && key !== taint.key) return false
  return operator === 'Exists' || (value ?? '') === (taint.value ?? '')
}

/** The first taint of these effects that none of the tolerations bears. */
export function untolerated(
  taints: readonly Taint[] | undefined,
  tolerations: readonly Toleration[] | undefined,
  effects: readonly Effect[],
) {
  return taints?.find((taint) => effects.includes(taint.effect) && !tolerations?.some((toleration) => tolerates(toleration, taint)))
}

/** A node has at most one taint of a key and effect. */
export function sameTaint(a: Pick<Taint, 'key' | 'effect'>, b: Pick<Taint, 'key' | 'effect'>): boolean {
  return a.key === b.key && a.effect === b.effect
}

/** Whether one replaces the other, whatever their seconds. */
export function sameToleration(a: Toleration, b: Toleration): boolean {
  return (
    a.key === b.key && a.effect === b.effect && (a.operator ?? 'Equal') === (b.operator ?? 'Equal') && (a.value ?? '') === (b.value ?? '')
  )
}
