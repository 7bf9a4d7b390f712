import { defineSubresourceKind } from '../../kind.ts'
import { invalid, type FieldError } from '../../values/field-error.ts'
import type { TokenRequest } from './types.gen.ts'

const HOUR = 3600
const MIN = 600

/** Asks for a token of a service account. Source: kubernetes `apis/authentication/validation`. */
export const tokenRequest = defineSubresourceKind<TokenRequest>({
  group: 'authentication.k8s.io',
  version: 'v1',
  kind: 'TokenRequest',
  model: 'io.k8s.api.authentication.v1.TokenRequest',
  strategy: {
    defaults({ spec }) {
      spec.expirationSeconds ??= HOUR
    },
    validate: ({ spec }) => validateLifetime(spec.expirationSeconds ?? HOUR, 'spec.expirationSeconds'),
  },
})

function validateLifetime(seconds: number, field: string): FieldError[] {
  if (seconds < MIN) return [invalid(field, seconds, 'may not specify a duration less than 10 minutes')]
  return seconds > 2 ** 32 ? [invalid(field, seconds, 'may not specify a duration larger than 2^32 seconds')] : []
}
