import { ageColumn } from '../../columns.ts'
import { defineKind } from '../../kind.ts'
import type { Deployment } from './types.gen.ts'

export const deployment = defineKind<Deployment>({
  group: 'apps',
  version: 'v1',
  kind: 'Deployment',
  resource: 'deployments',
  shortNames: ['deploy'],
  categories: ['all'],
  namespaced: true,
  model: 'io.k8s.api.apps.v1.Deployment',
  subresources: { scale: true, status: true },
  columns: [ageColumn],
})
