import { ageColumn } from '../../columns.ts'
import { defineKind } from '../../kind.ts'
import type { Service } from './types.gen.ts'

export const service = defineKind<Service>({
  group: '',
  version: 'v1',
  kind: 'Service',
  resource: 'services',
  shortNames: ['svc'],
  categories: ['all'],
  namespaced: true,
  model: 'io.k8s.api.core.v1.Service',
  subresources: { proxy: { verbs: ['create', 'delete', 'get', 'patch', 'update'], kind: 'ServiceProxyOptions' }, status: true },
  columns: [ageColumn],
  selectableFields: { 'spec.clusterIP': ({ spec }) => spec.clusterIP ?? '', 'spec.type': ({ spec }) => spec.type ?? '' },
})
