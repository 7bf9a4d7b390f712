import { ageColumn, joined } from '../../columns.ts'
import { defineKind } from '../../kind.ts'
import { immutable } from '../../meta/v1/validation.ts'
import { invalid, required, type FieldError } from '../../values/field-error.ts'
import { cidrErrors, isDualStackCidrs } from '../../values/ip.ts'
import type { ServiceCIDR } from './types.gen.ts'

const MAX_CIDRS = 2

export const serviceCIDR = defineKind<ServiceCIDR>({
  group: 'networking.k8s.io',
  version: 'v1',
  kind: 'ServiceCIDR',
  resource: 'servicecidrs',
  namespaced: false,
  model: 'io.k8s.api.networking.v1.ServiceCIDR',
  subresources: { status: true },
  columns: [{ name: 'CIDRs', type: 'string', description: 'Ranges of addresses', value: ({ spec }) => joined(spec.cidrs, '') }, ageColumn],
  strategy: {
    validate: ({ spec }) => validateCidrs(spec.cidrs ?? [], 'spec.cidrs'),
    validateUpdate: ({ spec }, old) => immutable('spec.cidrs', spec.cidrs, old.spec.cidrs),
  },
})

function validateCidrs(cidrs: readonly string[], field: string): FieldError[] {
  if (!cidrs.length) return [required(field, 'at least one CIDR required')]
  if (cidrs.length > MAX_CIDRS) return [invalid(field, cidrs, 'may only hold up to 2 values')]
  const out = cidrs.flatMap((cidr, i) => cidrErrors(`${field}[${i}]`, cidr))
  if (!out.length && cidrs.length === MAX_CIDRS && !isDualStackCidrs(cidrs))
    out.push(invalid(field, cidrs, 'may specify no more than one IP for each IP family, i.e 192.168.0.0/24 and 2001:db8::/64'))
  return out
}
