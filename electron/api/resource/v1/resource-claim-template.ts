import { ageColumn } from '../../columns.ts'
import { defineKind } from '../../kind.ts'
import { immutable, validateAnnotations, validateLabels } from '../../meta/v1/validation.ts'
import { defaultClaim, validateClaim } from './device-validation.ts'
import type { ResourceClaimTemplate } from './types.gen.ts'

export const resourceClaimTemplate = defineKind<ResourceClaimTemplate>({
  group: 'resource.k8s.io',
  version: 'v1',
  kind: 'ResourceClaimTemplate',
  resource: 'resourceclaimtemplates',
  namespaced: true,
  model: 'io.k8s.api.resource.v1.ResourceClaimTemplate',
  columns: [ageColumn],
  strategy: {
    defaults: ({ spec }) => defaultClaim(spec.spec.devices),
    validate: ({ spec: { metadata, spec } }) => [
      ...validateLabels(metadata.labels, 'spec.metadata.labels'),
      ...validateAnnotations(metadata.annotations, 'spec.metadata.annotations'),
      ...validateClaim(spec.devices, 'spec.spec.devices'),
    ],
    validateUpdate: ({ spec }, old) => immutable('spec', spec, old.spec),
  },
})
