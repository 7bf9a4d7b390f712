import { ageColumn } from '../../columns.ts'
import { defineKind } from '../../kind.ts'
import { immutable } from '../../meta/v1/validation.ts'
import { required } from '../../values/field-error.ts'
import { csiDriverName } from '../../core/v1/pod-spec/volume-sources.ts'
import type { VolumeAttributesClass } from './types.gen.ts'
import { validateParameters } from './parameters.ts'

export const volumeAttributesClass = defineKind<VolumeAttributesClass>({
  group: 'storage.k8s.io',
  version: 'v1',
  kind: 'VolumeAttributesClass',
  resource: 'volumeattributesclasses',
  shortNames: ['vac'],
  namespaced: false,
  model: 'io.k8s.api.storage.v1.VolumeAttributesClass',
  columns: [
    { name: 'DriverName', type: 'string', description: 'Driver that knows them', value: ({ driverName }) => driverName },
    ageColumn,
  ],
  strategy: {
    validate: ({ driverName, parameters = {} }) => [
      ...csiDriverName(driverName, 'driverName'),
      ...(Object.keys(parameters).length ? [] : [required('parameters', 'must contain at least one parameter/attribute pair')]),
      ...validateParameters(parameters),
    ],
    validateUpdate: ({ driverName, parameters }, old) => [
      ...immutable('driverName', driverName, old.driverName),
      ...immutable('parameters', parameters, old.parameters),
    ],
  },
})
