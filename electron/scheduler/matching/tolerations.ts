/** Taints and who bears them. Source: component-helpers `scheduling/corev1`, `v1.Toleration.ToleratesTaint`. */
import type { Taint, Toleration } from '../../api/core/v1/types.gen.ts'

/** An empty key with Exists bears everything; an empty effect bears all effects. */
export function tolerates({ key = '', operator, value = '', effect }: Toleration, taint: Taint): boolean {
  if (effect && effect !== taint.effect) return false
  if (key && key !== taint.key) return false
  if (operator === 'Exists') return true
  return (operator === undefined || operator === 'Equal') && value === (taint.value ?? '')
}

export function anyTolerates(tolerations: readonly Toleration[] | undefined, taint: Taint): boolean {
  return tolerations?.some((toleration) => tolerates(toleration, taint)) ?? false
}

/** The first of these taints that is not borne. */
export function firstUntolerated(taints: readonly Taint[], tolerations: readonly Toleration[] | undefined): Taint | undefined {
  for (const taint of taints) if (!anyTolerates(tolerations, taint)) return taint
  return undefined
}

export const isHard = ({ effect }: Taint) => effect === 'NoSchedule' || effect === 'NoExecute'
