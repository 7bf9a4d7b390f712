import { ageColumn } from '../../columns.ts'
import { defineKind } from '../../kind.ts'
import { atMost, validateOpaque, validateSelectors } from './device-validation.ts'
import type { DeviceClass } from './types.gen.ts'

export const deviceClass = defineKind<DeviceClass>({
  group: 'resource.k8s.io',
  version: 'v1',
  kind: 'DeviceClass',
  resource: 'deviceclasses',
  namespaced: false,
  model: 'io.k8s.api.resource.v1.DeviceClass',
  columns: [ageColumn],
  strategy: {
    validate: ({ spec: { selectors = [], config = [] } }) => [
      ...validateSelectors(selectors, 'spec.selectors'),
      ...atMost('spec.config', config),
      ...config.flatMap(({ opaque }, i) => validateOpaque(opaque, `spec.config[${i}].opaque`)),
    ],
  },
})
