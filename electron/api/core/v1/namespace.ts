import { ageColumn } from '../../columns.ts'
import { defineKind } from '../../kind.ts'
import type { Namespace } from './types.gen.ts'

export const namespace = defineKind<Namespace>({
  group: '',
  version: 'v1',
  kind: 'Namespace',
  resource: 'namespaces',
  shortNames: ['ns'],
  namespaced: false,
  model: 'io.k8s.api.core.v1.Namespace',
  verbs: ['create', 'delete', 'get', 'list', 'patch', 'update', 'watch'],
  subresources: { finalize: { verbs: ['update'] }, status: true },
  columns: [{ name: 'Status', type: 'string', description: 'Phase', value: ({ status }) => status.phase ?? '' }, ageColumn],
  selectableFields: { 'status.phase': ({ status }) => status.phase ?? '', name: ({ metadata }) => metadata.name },
})
