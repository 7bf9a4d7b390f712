import { ageColumn } from '../../columns.ts'
import { defineKind } from '../../kind.ts'
import { base64Length } from '../../values/base64.ts'
import { invalid, tooLong, type FieldError } from '../../values/field-error.ts'
import { byteLength } from '../../values/names.ts'
import { MAX_DATA_BYTES, validateImmutability, validateKeys } from './keyed-data.ts'
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
      type: 'string',
      description: 'Number of keys',
      value: ({ data, binaryData }) => Object.keys(data ?? {}).length + Object.keys(binaryData ?? {}).length,
    },
    ageColumn,
  ],
  strategy: {
    validate: validateConfigMap,
    validateUpdate: (object, old) => validateImmutability(object, old, ['data', 'binaryData']),
  },
})

function validateConfigMap({ data = {}, binaryData = {} }: ConfigMap): FieldError[] {
  const out = [...validateKeys(data, 'data'), ...validateKeys(binaryData, 'binaryData')]
  for (const key of Object.keys(data)) {
    if (key in binaryData) out.push(invalid(`data[${key}]`, key, 'duplicate of key present in binaryData'))
  }
  const text = Object.values(data).reduce((sum, value) => sum + byteLength(value), 0)
  const bytes = Object.values(binaryData).reduce((sum, value) => sum + base64Length(value), 0)
  if (text + bytes > MAX_DATA_BYTES) out.push(tooLong('', MAX_DATA_BYTES))
  return out
}
