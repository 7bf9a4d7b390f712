/** Checks of endpoints and their ports. Source: kubernetes `apis/discovery/validation`. */
import { validateLabels } from '../../meta/v1/validation.ts'
import { duplicate, invalid, invalidEach, notSupported, required, tooMany, type FieldError } from '../../values/field-error.ts'
import { endpointIpErrors, ipErrors, parseIp } from '../../values/ip.ts'
import { dns1123Label, dns1123Subdomain, labelValueErrors, nameIsDnsSubdomain, qualifiedName } from '../../values/names.ts'
import type { Endpoint, EndpointHints, EndpointPort } from './types.gen.ts'

const PROTOCOLS = ['SCTP', 'TCP', 'UDP']
const MAX_ENDPOINTS = 1000
const MAX_ADDRESSES = 100
const MAX_TOPOLOGY_LABELS = 16
const MAX_PORTS = 20_000
const MAX_HINTS = 8

export function validateEndpoints(endpoints: readonly Endpoint[], addressType: string): FieldError[] {
  if (endpoints.length > MAX_ENDPOINTS) return [tooMany('endpoints', endpoints.length, MAX_ENDPOINTS)]
  return endpoints.flatMap((endpoint, i) => validateEndpoint(endpoint, addressType, `endpoints[${i}]`))
}

function validateEndpoint(endpoint: Endpoint, addressType: string, at: string): FieldError[] {
  const { addresses, nodeName, hostname, hints, deprecatedTopology } = endpoint
  const out: FieldError[] = []
  if (!addresses.length) out.push(required(`${at}.addresses`, 'must contain at least 1 address'))
  else if (addresses.length > MAX_ADDRESSES) out.push(tooMany(`${at}.addresses`, addresses.length, MAX_ADDRESSES))
  addresses.forEach((address, i) => out.push(...validateAddress(address, addressType, `${at}.addresses[${i}]`)))
  if (nodeName !== undefined) out.push(...invalidEach(`${at}.nodeName`, nodeName, nameIsDnsSubdomain(nodeName)))
  const labels = Object.keys(deprecatedTopology ?? {}).length
  if (labels > MAX_TOPOLOGY_LABELS) out.push(tooMany(`${at}.deprecatedTopology`, labels, MAX_TOPOLOGY_LABELS))
  out.push(...validateLabels(deprecatedTopology, `${at}.deprecatedTopology`))
  if (hostname !== undefined) out.push(...invalidEach(`${at}.hostname`, hostname, dns1123Label(hostname)))
  return hints ? [...out, ...validateHints(hints, `${at}.hints`)] : out
}

function validateAddress(address: string, type: string, field: string): FieldError[] {
  if (type === 'FQDN') return validateDomain(address, field)
  if (type !== 'IPv4' && type !== 'IPv6') return []
  const wrong = ipErrors(field, address)
  if (wrong.length) return wrong
  const other = parseIp(address)?.family !== (type === 'IPv4' ? 4 : 6)
  return [...(other ? [invalid(field, address, `must be an ${type} address`)] : []), ...endpointIpErrors(field, address)]
}

/** A domain of at least two labels; a dot may end it. */
function validateDomain(name: string, field: string): FieldError[] {
  if (!name) return [required(field)]
  const domain = name.endsWith('.') ? name.slice(0, -1) : name
  const faults = dns1123Subdomain(domain)
  if (faults.length) return [invalid(field, domain, faults.join(','))]
  const labels = domain.split('.')
  if (labels.length < 2) return [invalid(field, domain, 'should be a domain with at least two segments separated by dots')]
  return labels.flatMap((label) => invalidEach(field, label, dns1123Label(label)))
}

function validateHints({ forZones = [], forNodes = [] }: EndpointHints, at: string): FieldError[] {
  return [
    ...validateHintNames(forZones, labelValueErrors, `${at}.forZones`),
    ...validateHintNames(forNodes, nameIsDnsSubdomain, `${at}.forNodes`),
  ]
}

function validateHintNames(hints: readonly { name: string }[], rule: (name: string) => string[], field: string): FieldError[] {
  if (hints.length > MAX_HINTS) return [tooMany(field, hints.length, MAX_HINTS)]
  return hints.flatMap(({ name }, i) => [
    ...(hints.findIndex((hint) => hint.name === name) < i ? [duplicate(`${field}[${i}].name`, name)] : []),
    ...invalidEach(`${field}[${i}].name`, name, rule(name)),
  ])
}

export function validatePorts(ports: readonly EndpointPort[]): FieldError[] {
  if (ports.length > MAX_PORTS) return [tooMany('ports', ports.length, MAX_PORTS)]
  const names = new Set<string>()
  return ports.flatMap(({ name = '', protocol, appProtocol }, i) => {
    const at = `ports[${i}]`
    const out = name ? invalidEach(`${at}.name`, name, dns1123Label(name)) : []
    if (names.has(name)) out.push(duplicate(`${at}.name`, name))
    names.add(name)
    if (protocol === undefined) out.push(required(`${at}.protocol`))
    else if (!PROTOCOLS.includes(protocol)) out.push(notSupported(`${at}.protocol`, protocol, PROTOCOLS))
    return appProtocol === undefined ? out : [...out, ...invalidEach(`${at}.appProtocol`, appProtocol, qualifiedName(appProtocol))]
  })
}
