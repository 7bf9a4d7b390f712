import { ageColumn } from '../../columns.ts'
import { defineKind } from '../../kind.ts'
import { invalidEach, notSupported, required, type FieldError } from '../../values/field-error.ts'
import { endpointIpErrors, ipErrors } from '../../values/ip.ts'
import { dns1123Label, nameIsDnsSubdomain, portNumber, qualifiedName } from '../../values/names.ts'
import type { EndpointAddress, EndpointPort, Endpoints } from './types.gen.ts'

const PROTOCOLS = ['SCTP', 'TCP', 'UDP']
const SHOWN = 3

export const endpoints = defineKind<Endpoints>({
  group: '',
  version: 'v1',
  kind: 'Endpoints',
  resource: 'endpoints',
  shortNames: ['ep'],
  namespaced: true,
  model: 'io.k8s.api.core.v1.Endpoints',
  columns: [{ name: 'Endpoints', type: 'string', description: 'The first addresses with their ports', value: endpointsText }, ageColumn],
  strategy: {
    defaults({ subsets }) {
      for (const { ports } of subsets ?? []) for (const port of ports ?? []) port.protocol ??= 'TCP'
    },
    validate: ({ subsets }) =>
      (subsets ?? []).flatMap(({ addresses = [], notReadyAddresses = [], ports = [] }, i) => {
        const at = `subsets[${i}]`
        const none = !addresses.length && !notReadyAddresses.length
        return [
          ...(none ? [required(at, 'must specify `addresses` or `notReadyAddresses`')] : []),
          ...addresses.flatMap((address, j) => validateAddress(address, `${at}.addresses[${j}]`)),
          ...notReadyAddresses.flatMap((address, j) => validateAddress(address, `${at}.notReadyAddresses[${j}]`)),
          ...ports.flatMap((port, j) => validatePort(port, ports.length > 1, `${at}.ports[${j}]`)),
        ]
      }),
    warnings: () => ['v1 Endpoints is deprecated in v1.33+; use discovery.k8s.io/v1 EndpointSlice'],
    allowCreateOnUpdate: true,
  },
})

function validateAddress({ ip, hostname, nodeName }: EndpointAddress, field: string): FieldError[] {
  return [
    ...ipErrors(`${field}.ip`, ip),
    ...(hostname ? invalidEach(`${field}.hostname`, hostname, dns1123Label(hostname)) : []),
    ...(nodeName === undefined ? [] : invalidEach(`${field}.nodeName`, nodeName, nameIsDnsSubdomain(nodeName))),
    ...endpointIpErrors(`${field}.ip`, ip),
  ]
}

function validatePort({ name, port, protocol, appProtocol }: EndpointPort, needsName: boolean, field: string): FieldError[] {
  const out = name ? invalidEach(`${field}.name`, name, dns1123Label(name)) : needsName ? [required(`${field}.name`)] : []
  out.push(...invalidEach(`${field}.port`, port, portNumber(port)))
  if (!protocol) out.push(required(`${field}.protocol`))
  else if (!PROTOCOLS.includes(protocol)) out.push(notSupported(`${field}.protocol`, protocol, PROTOCOLS))
  return appProtocol === undefined ? out : [...out, ...invalidEach(`${field}.appProtocol`, appProtocol, qualifiedName(appProtocol))]
}

/** "10.0.0.1:80,10.0.0.2:80 + 3 more…", as kubectl shows it. */
function endpointsText({ subsets = [] }: Endpoints): string {
  if (!subsets.length) return '<none>'
  const all = subsets.flatMap(({ addresses = [], ports = [] }) => {
    if (!ports.length) return addresses.map(({ ip }) => ip)
    return ports.flatMap(({ port }) => addresses.map(({ ip }) => (ip.includes(':') ? `[${ip}]:${port}` : `${ip}:${port}`)))
  })
  const text = all.slice(0, SHOWN).join(',')
  return all.length > SHOWN ? `${text} + ${all.length - SHOWN} more...` : text
}
