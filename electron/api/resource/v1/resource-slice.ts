import { ageColumn } from '../../columns.ts'
import { defineKind } from '../../kind.ts'
import { immutable } from '../../meta/v1/validation.ts'
import { driverName } from './device-validation.ts'
import { validateSliceSpec } from './slice-validation.ts'
import type { ResourceSlice } from './types.gen.ts'

export const resourceSlice = defineKind<ResourceSlice>({
  group: 'resource.k8s.io',
  version: 'v1',
  kind: 'ResourceSlice',
  resource: 'resourceslices',
  namespaced: false,
  model: 'io.k8s.api.resource.v1.ResourceSlice',
  columns: [
    { name: 'Node', type: 'string', description: 'Node that has the devices', value: ({ spec }) => spec.nodeName || '<unset>' },
    { name: 'Driver', type: 'string', description: 'Who offers them', value: ({ spec }) => spec.driver },
    { name: 'Pool', type: 'string', description: 'What they are part of', value: ({ spec }) => spec.pool.name },
    ageColumn,
  ],
  selectableFields: { 'spec.nodeName': ({ spec }) => spec.nodeName ?? '', 'spec.driver': ({ spec }) => spec.driver },
  strategy: {
    validate: ({ spec }) => [...driverName(spec.driver, 'spec.driver'), ...validateSliceSpec(spec, 'spec')],
    validateUpdate: ({ spec }, old) => [
      ...immutable('spec.driver', spec.driver, old.spec.driver),
      ...immutable('spec.pool.name', spec.pool.name, old.spec.pool.name),
      ...immutable('spec.nodeName', spec.nodeName, old.spec.nodeName),
    ],
  },
})
