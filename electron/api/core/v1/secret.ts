import { ageColumn } from '../../columns.ts'
import { defineKind } from '../../kind.ts'
import { immutable } from '../../meta/v1/validation.ts'
import { base64FromText, base64Length } from '../../values/base64.ts'
import { tooLong, type FieldError } from '../../values/field-error.ts'
import { MAX_DATA_BYTES, validateImmutability, validateKeys } from './keyed-data.ts'
import { validateSecretType } from './secret-types.ts'
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
    validate: validateSecret,
    validateUpdate: (object, old) => [...immutable('type', object.type, old.type), ...validateImmutability(object, old, ['data'])],
  },
})

function validateSecret(secret: Secret): FieldError[] {
  const out = validateKeys(secret.data, 'data')
  const bytes = Object.values(secret.data ?? {}).reduce((sum, value) => sum + base64Length(value), 0)
  if (bytes > MAX_DATA_BYTES) out.push(tooLong('data', MAX_DATA_BYTES))
  return [...out, ...validateSecretType(secret)]
}
