import { ageColumn } from '../../columns.ts'
import { defineKind } from '../../kind.ts'
import { base64FromText } from '../../values/base64.ts'
import type { Secret } from './types.gen.ts'

export const secret = defineKind<Secret>({
  group: '',
  version: 'v1',
  kind: 'Secret',
  resource: 'secrets',
  namespaced: true,
  model: 'io.k8s.api.core.v1.Secret',
  columns: [
    { name: 'Type', type: 'string', description: 'What the data is for', value: ({ type }) => type ?? '' },
    { name: 'Data', type: 'string', description: 'Number of keys', value: ({ data }) => Object.keys(data ?? {}).length },
    ageColumn,
  ],
  selectableFields: { type: ({ type }) => type ?? '' },
  strategy: {
    defaults(secret) {
      secret.type ||= 'Opaque'
      for (const [key, text] of Object.entries(secret.stringData ?? {})) (secret.data ??= {})[key] = base64FromText(text)
      delete secret.stringData
    },
  },
})
