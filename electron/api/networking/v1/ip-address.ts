import { ageColumn } from '../../columns.ts'
import { defineKind } from '../../kind.ts'
import { immutable } from '../../meta/v1/validation.ts'
import { invalidEach, required, type FieldError } from '../../values/field-error.ts'
import { formatIp, parseIp } from '../../values/ip.ts'
import { dns1123Subdomain, pathSegmentName } from '../../values/names.ts'
import type { IPAddress, ParentReference } from './types.gen.ts'

/** An address of a Service, named as the address in its canonical form. */
export const ipAddress = defineKind<IPAddress>({
  group: 'networking.k8s.io',
  version: 'v1',
  kind: 'IPAddress',
  resource: 'ipaddresses',
  shortNames: ['ip'],
  namespaced: false,
  model: 'io.k8s.api.networking.v1.IPAddress',
  validateName(name) {
    const ip = parseIp(name)
    return ip && formatIp(ip) === name ? [] : ['must be a valid IP address in canonical form']
  },
  columns: [
    { name: 'ParentRef', type: 'string', description: 'What has the address', value: ({ spec }) => parentText(spec.parentRef) },
    ageColumn,
  ],
  strategy: {
    validate: ({ spec }) => validateParent(spec.parentRef, 'spec.parentRef'),
    validateUpdate: ({ spec }, old) => immutable('spec.parentRef', spec.parentRef, old.spec.parentRef),
  },
})

function parentText(parent: ParentReference | undefined): string {
  if (!parent) return '<none>'
  const { group, resource, namespace, name } = parent
  return [group ? `${resource}.${group}` : resource, ...(namespace ? [namespace] : []), name].join('/')
}

function validateParent(parent: ParentReference | undefined, field: string): FieldError[] {
  if (!parent) return [required(field)]
  const { group, resource, namespace, name } = parent
  return [
    ...(group ? invalidEach(`${field}.group`, group, dns1123Subdomain(group)) : []),
    ...(resource ? invalidEach(`${field}.resource`, resource, pathSegmentName(resource)) : [required(`${field}.resource`)]),
    ...(name ? invalidEach(`${field}.name`, name, pathSegmentName(name)) : [required(`${field}.name`)]),
    ...(namespace ? invalidEach(`${field}.namespace`, namespace, pathSegmentName(namespace)) : []),
  ]
}
