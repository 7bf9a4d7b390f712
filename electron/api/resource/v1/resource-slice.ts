import { ageColumn } from '../../columns.ts'
import { defineKind } from '../../kind.ts'
import { immutable, nonNegative, positive } from '../../meta/v1/validation.ts'
import { duplicate, invalid, invalidEach, required, type FieldError } from '../../values/field-error.ts'
import { dns1123Label, dns1123Subdomain } from '../../values/names.ts'
import { atMost, driverName } from './device-validation.ts'
import type { Device, ResourcePool, ResourceSlice, ResourceSliceSpec } from './types.gen.ts'

const MAX_DEVICES = 128
const PLACES = ['nodeName', 'nodeSelector', 'allNodes', 'perDeviceNodeSelection'] as const

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
    validate: ({ spec }) => [
      ...driverName(spec.driver, 'spec.driver'),
      ...validatePool(spec.pool, 'spec.pool'),
      ...validatePlace(spec, 'spec'),
      ...atMost('spec.devices', spec.devices ?? [], MAX_DEVICES),
      ...(spec.devices ?? []).flatMap((device, i, all) => validateDevice(device, all, i, `spec.devices[${i}]`)),
    ],
    validateUpdate: ({ spec }, old) => [
      ...immutable('spec.driver', spec.driver, old.spec.driver),
      ...immutable('spec.pool.name', spec.pool.name, old.spec.pool.name),
      ...immutable('spec.nodeName', spec.nodeName, old.spec.nodeName),
    ],
  },
})

function validatePool({ name, generation, resourceSliceCount }: ResourcePool, field: string): FieldError[] {
  const parts = name.split('/')
  return [
    ...(name ? parts.flatMap((part) => invalidEach(`${field}.name`, part, dns1123Subdomain(part))) : [required(`${field}.name`)]),
    ...nonNegative(`${field}.generation`, generation),
    ...positive(`${field}.resourceSliceCount`, resourceSliceCount),
  ]
}

function validatePlace(spec: ResourceSliceSpec, field: string): FieldError[] {
  const said = PLACES.filter((name) => spec[name])
  const all = PLACES.map((name) => `\`${name}\``).join(', ')
  if (!said.length) return [required(field, `exactly one of ${all} is required`)]
  return said.length > 1 ? [invalid(field, `{${said.map((name) => `\`${name}\``).join(', ')}}`, `exactly one of ${all} is required`)] : []
}

function validateDevice({ name, attributes = {} }: Device, all: readonly Device[], index: number, field: string): FieldError[] {
  const out = invalidEach(`${field}.name`, name, dns1123Label(name))
  if (all.findIndex((one) => one.name === name) < index) out.push(duplicate(`${field}.name`, name))
  for (const [key, value] of Object.entries(attributes)) {
    const at = `${field}.attributes[${key}]`
    const said = Object.keys(value).length
    if (said === 0) out.push(required(at, 'exactly one value must be specified'))
    if (said > 1) out.push(invalid(at, value, 'exactly one value must be specified'))
  }
  return out
}
