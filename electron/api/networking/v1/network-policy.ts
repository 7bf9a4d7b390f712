import { ageColumn } from '../../columns.ts'
import { defineKind } from '../../kind.ts'
import { selectorText, validateLabelSelector } from '../../meta/v1/label-selector.ts'
import { forbidden, invalid, invalidEach, notSupported, required, type FieldError } from '../../values/field-error.ts'
import { cidrContains, cidrErrors, parseCidr } from '../../values/ip.ts'
import { portName, portNumber } from '../../values/names.ts'
import type { IPBlock, NetworkPolicy, NetworkPolicyPeer, NetworkPolicyPort, NetworkPolicySpec } from './types.gen.ts'

const PROTOCOLS = ['TCP', 'UDP', 'SCTP']
const TYPES = ['Ingress', 'Egress']

export const networkPolicy = defineKind<NetworkPolicy>({
  group: 'networking.k8s.io',
  version: 'v1',
  kind: 'NetworkPolicy',
  resource: 'networkpolicies',
  shortNames: ['netpol'],
  namespaced: true,
  model: 'io.k8s.api.networking.v1.NetworkPolicy',
  columns: [
    { name: 'Pod-Selector', type: 'string', description: 'The pods that it is for', value: ({ spec }) => selectorText(spec.podSelector) },
    ageColumn,
  ],
  strategy: {
    defaults({ spec }) {
      if (!spec.policyTypes?.length) spec.policyTypes = spec.egress?.length ? ['Ingress', 'Egress'] : ['Ingress']
      for (const { ports } of [...(spec.ingress ?? []), ...(spec.egress ?? [])]) for (const port of ports ?? []) port.protocol ??= 'TCP'
    },
    validate: ({ spec }) => validateSpec(spec),
  },
})

function validateSpec(spec: NetworkPolicySpec): FieldError[] {
  const out = validateLabelSelector(spec.podSelector, 'spec.podSelector')
  spec.ingress?.forEach(({ ports, from }, i) => out.push(...validateRule(ports, from, `spec.ingress[${i}]`, 'from')))
  spec.egress?.forEach(({ ports, to }, i) => out.push(...validateRule(ports, to, `spec.egress[${i}]`, 'to')))
  const types = spec.policyTypes ?? []
  if (types.length > TYPES.length) return [...out, invalid('spec.policyTypes', types, 'may not specify more than two policyTypes')]
  types.forEach((type, i) => {
    if (!TYPES.includes(type)) out.push(notSupported(`spec.policyTypes[${i}]`, type, TYPES))
  })
  return out
}

function validateRule(
  ports: readonly NetworkPolicyPort[] = [],
  peers: readonly NetworkPolicyPeer[] = [],
  at: string,
  side: 'from' | 'to',
): FieldError[] {
  return [
    ...ports.flatMap((port, i) => validatePort(port, `${at}.ports[${i}]`)),
    ...peers.flatMap((peer, i) => validatePeer(peer, `${at}.${side}[${i}]`)),
  ]
}

function validatePort({ protocol, port, endPort }: NetworkPolicyPort, at: string): FieldError[] {
  const out: FieldError[] = []
  if (protocol !== undefined && !PROTOCOLS.includes(protocol)) out.push(notSupported(`${at}.protocol`, protocol, PROTOCOLS))
  const end = `${at}.endPort`
  if (typeof port === 'number') {
    out.push(...invalidEach(`${at}.port`, port, portNumber(port)))
    if (endPort === undefined) return out
    if (endPort < port) out.push(invalid(end, port, 'must be greater than or equal to `port`'))
    return [...out, ...invalidEach(end, endPort, portNumber(endPort))]
  }
  if (endPort !== undefined) {
    out.push(invalid(end, endPort, `may not be specified when \`port\` is ${port === undefined ? 'not specified' : 'non-numeric'}`))
  }
  return port === undefined ? out : [...out, ...invalidEach(`${at}.port`, port, portName(port))]
}

function validatePeer({ podSelector, namespaceSelector, ipBlock }: NetworkPolicyPeer, at: string): FieldError[] {
  const out = [
    ...validateLabelSelector(podSelector, `${at}.podSelector`),
    ...validateLabelSelector(namespaceSelector, `${at}.namespaceSelector`),
    ...(ipBlock ? validateBlock(ipBlock, `${at}.ipBlock`) : []),
  ]
  if (!podSelector && !namespaceSelector && !ipBlock) out.push(required(at, 'must specify a peer'))
  else if (ipBlock && (podSelector || namespaceSelector)) out.push(forbidden(at, 'may not specify both ipBlock and another peer'))
  return out
}

function validateBlock({ cidr, except = [] }: IPBlock, at: string): FieldError[] {
  if (!cidr) return [required(`${at}.cidr`)]
  const out = cidrErrors(`${at}.cidr`, cidr)
  const whole = parseCidr(cidr)
  if (!whole) return out
  except.forEach((text, i) => {
    const field = `${at}.except[${i}]`
    out.push(...cidrErrors(field, text))
    const part = parseCidr(text)
    if (!part || (part.prefix > whole.prefix && cidrContains(whole, part.address))) return
    out.push(invalid(field, text, 'must be a strict subset of `cidr`'))
  })
  return out
}
