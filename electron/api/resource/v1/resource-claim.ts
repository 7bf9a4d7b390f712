import { ageColumn } from '../../columns.ts'
import { defineKind } from '../../kind.ts'
import { immutable } from '../../meta/v1/validation.ts'
import { validateClaimStatus } from './claim-status.ts'
import { defaultClaim, validateClaim } from './device-validation.ts'
import type { ResourceClaim } from './types.gen.ts'

export const resourceClaim = defineKind<ResourceClaim>({
  group: 'resource.k8s.io',
  version: 'v1',
  kind: 'ResourceClaim',
  resource: 'resourceclaims',
  namespaced: true,
  model: 'io.k8s.api.resource.v1.ResourceClaim',
  subresources: { status: true },
  columns: [{ name: 'State', type: 'string', description: 'What became of it', value: stateText }, ageColumn],
  strategy: {
    defaults: ({ spec }) => defaultClaim(spec.devices),
    validate: ({ spec }) => validateClaim(spec.devices, 'spec.devices'),
    validateUpdate: ({ spec }, old) => immutable('spec', spec, old.spec),
    validateStatusUpdate: validateClaimStatus,
  },
})

function stateText({ metadata, status }: ResourceClaim): string {
  const states = [
    ...(metadata.deletionTimestamp ? ['deleted'] : []),
    ...(status.allocation ? ['allocated'] : []),
    ...(status.reservedFor?.length ? ['reserved'] : []),
  ]
  return states.length ? states.join(',') : 'pending'
}
