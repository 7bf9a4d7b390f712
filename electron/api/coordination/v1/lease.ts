import { ageColumn } from '../../columns.ts'
import { defineKind } from '../../kind.ts'
import type { Lease } from './types.gen.ts'

export const lease = defineKind<Lease>({
  group: 'coordination.k8s.io',
  version: 'v1',
  kind: 'Lease',
  resource: 'leases',
  namespaced: true,
  model: 'io.k8s.api.coordination.v1.Lease',
  columns: [{ name: 'Holder', type: 'string', description: 'Who holds it', value: ({ spec }) => spec?.holderIdentity ?? '' }, ageColumn],
  strategy: { allowCreateOnUpdate: true },
})
