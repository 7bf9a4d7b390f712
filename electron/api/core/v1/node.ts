import { ageColumn } from '../../columns.ts'
import { defineKind } from '../../kind.ts'
import type { Node } from './types.gen.ts'

export const node = defineKind<Node>({
  group: '',
  version: 'v1',
  kind: 'Node',
  resource: 'nodes',
  shortNames: ['no'],
  namespaced: false,
  model: 'io.k8s.api.core.v1.Node',
  subresources: { proxy: { verbs: ['create', 'delete', 'get', 'patch', 'update'], kind: 'NodeProxyOptions' }, status: true },
  columns: [ageColumn],
  selectableFields: { 'spec.unschedulable': ({ spec }) => String(spec.unschedulable ?? false) },
})
