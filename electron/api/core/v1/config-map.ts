import { ageColumn } from '../../columns.ts'
import { defineKind } from '../../kind.ts'
import type { ConfigMap } from './types.gen.ts'

export const configMap = defineKind<ConfigMap>({
  group: '',
  version: 'v1',
  kind: 'ConfigMap',
  resource: 'configmaps',
  shortNames: ['cm'],
  namespaced: true,
  model: 'io.k8s.api.core.v1.ConfigMap',
  columns: [
    {
      name: 'Data',
      type: 'integer',
      description: 'Number of keys',
      value: ({ data, binaryData }) => Object.keys(data ?? {}).length + Object.keys(binaryData ?? {}).length,
    },
    ageColumn,
  ],
})
