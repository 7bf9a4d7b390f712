import { ageColumn } from '../../columns.ts'
import { defineKind } from '../../kind.ts'
import { validateLabelSelector } from '../../meta/v1/label-selector.ts'
import { nonNegative } from '../../meta/v1/validation.ts'
import { invalid, notSupported, type FieldError } from '../../values/field-error.ts'
import { nonNegativeIntOrPercent, notMoreThan100Percent } from '../../values/int-or-string.ts'
import type { IntOrString } from '../../meta/v1/object.ts'
import type { PodDisruptionBudget, PodDisruptionBudgetSpec } from './types.gen.ts'

const EVICTION_POLICIES = ['AlwaysAllow', 'IfHealthyBudget']
const COUNTS = ['currentHealthy', 'desiredHealthy', 'disruptionsAllowed', 'expectedPods'] as const

export const podDisruptionBudget = defineKind<PodDisruptionBudget>({
  group: 'policy',
  version: 'v1',
  kind: 'PodDisruptionBudget',
  resource: 'poddisruptionbudgets',
  shortNames: ['pdb'],
  namespaced: true,
  model: 'io.k8s.api.policy.v1.PodDisruptionBudget',
  subresources: { status: true },
  columns: [
    { name: 'Min Available', type: 'string', description: 'Pods that must stay', value: ({ spec }) => share(spec.minAvailable) },
    { name: 'Max Unavailable', type: 'string', description: 'Pods that may be away', value: ({ spec }) => share(spec.maxUnavailable) },
    {
      name: 'Allowed Disruptions',
      type: 'integer',
      description: 'Pods that may be evicted now',
      value: ({ status }) => status.disruptionsAllowed ?? 0,
    },
    ageColumn,
  ],
  strategy: {
    prepareForCreate(budget) {
      budget.status = { currentHealthy: 0, desiredHealthy: 0, disruptionsAllowed: 0, expectedPods: 0 }
    },
    validate: ({ spec }) => validateSpec(spec),
    validateStatusUpdate: ({ status }) => COUNTS.flatMap((name) => nonNegative(`status.${name}`, status[name])),
  },
})

function share(value: IntOrString | undefined): string {
  return value === undefined ? 'N/A' : String(value)
}

function validateSpec(spec: PodDisruptionBudgetSpec): FieldError[] {
  const { minAvailable, maxUnavailable, unhealthyPodEvictionPolicy: policy } = spec
  const out: FieldError[] = []
  if (minAvailable !== undefined && maxUnavailable !== undefined)
    out.push(invalid('spec', spec, 'minAvailable and maxUnavailable cannot be both set'))
  for (const [name, value] of Object.entries({ minAvailable, maxUnavailable })) {
    if (value === undefined) continue
    out.push(...nonNegativeIntOrPercent(`spec.${name}`, value), ...notMoreThan100Percent(`spec.${name}`, value))
  }
  out.push(...validateLabelSelector(spec.selector, 'spec.selector'))
  if (policy !== undefined && !EVICTION_POLICIES.includes(policy))
    out.push(notSupported('spec.unhealthyPodEvictionPolicy', policy, EVICTION_POLICIES))
  return out
}
