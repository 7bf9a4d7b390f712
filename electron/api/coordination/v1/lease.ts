import { ageColumn } from '../../columns.ts'
import { defineKind } from '../../kind.ts'
import { nonNegative } from '../../meta/v1/validation.ts'
import { forbidden, invalid, invalidEach, notSupported, type FieldError } from '../../values/field-error.ts'
import { qualifiedName } from '../../values/names.ts'
import type { Lease } from './types.gen.ts'

const STRATEGIES = ['OldestEmulationVersion']

export const lease = defineKind<Lease>({
  group: 'coordination.k8s.io',
  version: 'v1',
  kind: 'Lease',
  resource: 'leases',
  namespaced: true,
  model: 'io.k8s.api.coordination.v1.Lease',
  columns: [{ name: 'Holder', type: 'string', description: 'Who holds it', value: ({ spec }) => spec.holderIdentity ?? '' }, ageColumn],
  strategy: { validate: validateLease, allowCreateOnUpdate: true, requireResourceVersion: true },
})

function validateLease({ spec }: Lease): FieldError[] {
  const { leaseDurationSeconds: duration, strategy, preferredHolder } = spec
  const out: FieldError[] = []
  if (duration !== undefined && duration <= 0) out.push(invalid('spec.leaseDurationSeconds', duration, 'must be greater than 0'))
  out.push(...nonNegative('spec.leaseTransitions', spec.leaseTransitions))
  if (strategy !== undefined) {
    const at = 'spec.strategy.strategy'
    if (strategy.includes('/')) out.push(...invalidEach(at, strategy, qualifiedName(strategy)))
    else if (!STRATEGIES.includes(strategy)) out.push(notSupported(at, strategy, STRATEGIES))
  }
  if (preferredHolder && !strategy) out.push(forbidden('spec.preferredHolder', 'may only be specified if `strategy` is defined'))
  return out
}
