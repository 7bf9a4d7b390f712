import { ageColumn } from '../../columns.ts'
import { defineKind } from '../../kind.ts'
import type { ServiceAccount } from './types.gen.ts'

export const serviceAccount = defineKind<ServiceAccount>({
  group: '',
  version: 'v1',
  kind: 'ServiceAccount',
  resource: 'serviceaccounts',
  shortNames: ['sa'],
  namespaced: true,
  model: 'io.k8s.api.core.v1.ServiceAccount',
  subresources: { token: { verbs: ['create'], group: 'authentication.k8s.io', version: 'v1', kind: 'TokenRequest' } },
  columns: [
    { name: 'Secrets', type: 'string', description: 'Number of secrets it may use', value: ({ secrets }) => secrets?.length ?? 0 },
    ageColumn,
  ],
})
