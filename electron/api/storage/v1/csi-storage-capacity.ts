import { defineKind } from '../../kind.ts'
import { validateLabelSelector } from '../../meta/v1/label-selector.ts'
import { immutable } from '../../meta/v1/validation.ts'
import { invalid, invalidEach, required, type FieldError } from '../../values/field-error.ts'
import { nameIsDnsSubdomain } from '../../values/names.ts'
import { compareQuantity } from '../../values/quantity.ts'
import type { CSIStorageCapacity } from './types.gen.ts'

export const csiStorageCapacity = defineKind<CSIStorageCapacity>({
  group: 'storage.k8s.io',
  version: 'v1',
  kind: 'CSIStorageCapacity',
  resource: 'csistoragecapacities',
  namespaced: true,
  model: 'io.k8s.api.storage.v1.CSIStorageCapacity',
  columns: [
    {
      name: 'StorageClassName',
      type: 'string',
      description: 'Class of the volumes that it is for',
      value: ({ storageClassName }) => storageClassName,
    },
    { name: 'Capacity', type: 'string', description: 'How much there is', value: ({ capacity }) => capacity ?? '' },
  ],
  strategy: {
    validate: ({ nodeTopology, storageClassName, capacity, maximumVolumeSize }) => [
      ...validateLabelSelector(nodeTopology, 'nodeTopology'),
      ...(storageClassName
        ? invalidEach('storageClassName', storageClassName, nameIsDnsSubdomain(storageClassName))
        : [required('storageClassName')]),
      ...notBelowZero('capacity', capacity),
      ...notBelowZero('maximumVolumeSize', maximumVolumeSize),
    ],
    validateUpdate: ({ nodeTopology, storageClassName }, old) => [
      ...immutable('nodeTopology', nodeTopology, old.nodeTopology),
      ...immutable('storageClassName', storageClassName, old.storageClassName),
    ],
  },
})

function notBelowZero(field: string, quantity: string | undefined): FieldError[] {
  if (quantity === undefined || compareQuantity(quantity, '0') >= 0) return []
  return [invalid(field, quantity, 'must be greater than or equal to 0')]
}
