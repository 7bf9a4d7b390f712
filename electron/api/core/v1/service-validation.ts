/** Checks of services. Source: kubernetes `core/validation`, `validateService`. */
import { FIELD_IS_IMMUTABLE, validateLabels } from '../../meta/v1/validation.ts'
import { duplicate, forbidden, invalid, invalidEach, notSupported, required, type FieldError } from '../../values/field-error.ts'
import { portNumberOrName } from '../../values/int-or-string.ts'
import { cidrErrors, endpointIpErrors, ipErrors, parseIp } from '../../values/ip.ts'
import { dns1123Label, dns1123Subdomain, portNumber, qualifiedName } from '../../values/names.ts'
import { validateServiceAddresses, validateServiceAddressesUpdate } from './service-addresses.ts'
import { isExternallyAccessible, isHeadless, needsHealthCheckPort } from './service-traits.ts'
import type { Service, ServicePort, SessionAffinityConfig } from './types.gen.ts'

const TYPES = ['ClusterIP', 'ExternalName', 'LoadBalancer', 'NodePort']
const AFFINITIES = ['ClientIP', 'None']
const TRAFFIC_POLICIES = ['Cluster', 'Local']
const PROTOCOLS = ['SCTP', 'TCP', 'UDP']
const DISTRIBUTIONS = ['PreferClose', 'PreferSameZone', 'PreferSameNode']
const IP_MODES = ['Proxy', 'VIP']
const MAX_AFFINITY_SECONDS = 86400
const ONLY_BALANCED = "may only be used when `type` is 'LoadBalancer'"
const SOURCE_RANGES = 'service.beta.kubernetes.io/load-balancer-source-ranges'
const TOPOLOGY_HINTS = 'service.kubernetes.io/topology-aware-hints'
const TOPOLOGY_MODE = 'service.kubernetes.io/topology-mode'

export function validateService(service: Service): FieldError[] {
  const { spec, metadata } = service
  const { annotations = {} } = metadata
  const out: FieldError[] = []
  const [hints, mode] = [annotations[TOPOLOGY_HINTS], annotations[TOPOLOGY_MODE]]
  if (hints !== undefined && mode !== undefined && hints !== mode) {
    out.push(invalid(`metadata.annotations[${TOPOLOGY_MODE}]`, mode, `must match annotations[${TOPOLOGY_HINTS}] when both are specified`))
  }
  const ports = spec.ports ?? []
  if (!ports.length && !isHeadless(service) && spec.type !== 'ExternalName') out.push(required('spec.ports'))
  out.push(...typeErrors(service))
  const names = new Set<string>()
  ports.forEach((port, i) => out.push(...portErrors(port, ports.length > 1, names, `spec.ports[${i}]`)))
  out.push(...validateLabels(spec.selector, 'spec.selector'), ...affinityErrors(service), ...validateServiceAddresses(service))
  spec.externalIPs?.forEach((ip, i) => {
    const field = `spec.externalIPs[${i}]`
    const wrong = ipErrors(field, ip)
    out.push(...(wrong.length ? wrong : endpointIpErrors(field, ip)))
  })
  if (!spec.type) out.push(required('spec.type'))
  else if (!TYPES.includes(spec.type)) out.push(notSupported('spec.type', spec.type, TYPES))
  return [...out, ...portConflicts(service), ...balancerErrors(service), ...trafficErrors(service)]
}

function typeErrors(service: Service): FieldError[] {
  const { spec } = service
  if ((spec.type === 'LoadBalancer' || spec.type === 'NodePort') && isHeadless(service)) {
    return [invalid('spec.clusterIPs[0]', spec.clusterIPs?.[0], `may not be set to 'None' for ${spec.type} services`)]
  }
  if (spec.type !== 'ExternalName') return []
  const out: FieldError[] = []
  const why = 'may not be set for ExternalName services'
  if (spec.clusterIPs?.length) out.push(forbidden('spec.clusterIPs', why))
  if (spec.ipFamilies?.length) out.push(forbidden('spec.ipFamilies', why))
  if (spec.ipFamilyPolicy !== undefined) out.push(forbidden('spec.ipFamilyPolicy', why))
  const name = (spec.externalName ?? '').replace(/\.$/, '')
  return [...out, ...(name ? invalidEach('spec.externalName', name, dns1123Subdomain(name)) : [required('spec.externalName')])]
}

function portErrors(port: ServicePort, needsName: boolean, names: Set<string>, at: string): FieldError[] {
  const { name, port: number, protocol, targetPort, appProtocol } = port
  const out: FieldError[] = []
  if (name) {
    out.push(...invalidEach(`${at}.name`, name, dns1123Label(name)))
    if (names.has(name)) out.push(duplicate(`${at}.name`, name))
    names.add(name)
  } else if (needsName) out.push(required(`${at}.name`))
  out.push(...invalidEach(`${at}.port`, number, portNumber(number)))
  if (!protocol) out.push(required(`${at}.protocol`))
  else if (!PROTOCOLS.includes(protocol)) out.push(notSupported(`${at}.protocol`, protocol, PROTOCOLS))
  out.push(...portNumberOrName(`${at}.targetPort`, targetPort ?? 0))
  return appProtocol === undefined ? out : [...out, ...invalidEach(`${at}.appProtocol`, appProtocol, qualifiedName(appProtocol))]
}

function affinityErrors({ spec }: Service): FieldError[] {
  const { sessionAffinity: affinity, sessionAffinityConfig: config } = spec
  const at = 'spec.sessionAffinityConfig'
  if (!affinity) return [required('spec.sessionAffinity')]
  if (!AFFINITIES.includes(affinity)) return [notSupported('spec.sessionAffinity', affinity, AFFINITIES)]
  if (affinity === 'ClientIP') return clientIpErrors(config, at)
  return config ? [forbidden(at, 'must not be set when session affinity is None')] : []
}

function clientIpErrors(config: SessionAffinityConfig | undefined, field: string): FieldError[] {
  const why = 'when session affinity type is ClientIP'
  if (!config) return [required(field, why)]
  if (!config.clientIP) return [required(`${field}.clientIP`, why)]
  const at = `${field}.clientIP.timeoutSeconds`
  const seconds = config.clientIP.timeoutSeconds
  if (seconds === undefined) return [required(at, why)]
  const fits = seconds > 0 && seconds <= MAX_AFFINITY_SECONDS
  return fits ? [] : [invalid(at, seconds, `must be greater than 0 and less than ${MAX_AFFINITY_SECONDS}`)]
}

function portConflicts({ spec }: Service): FieldError[] {
  const ports = spec.ports ?? []
  const out: FieldError[] = []
  const taken = new Set<string>()
  if (spec.type === 'ClusterIP') {
    ports.forEach(({ nodePort }, i) => {
      if (nodePort) out.push(forbidden(`spec.ports[${i}].nodePort`, "may not be used when `type` is 'ClusterIP'"))
    })
  }
  ports.forEach(({ protocol, nodePort }, i) => {
    if (!nodePort) return
    if (taken.has(`${protocol}/${nodePort}`)) out.push(duplicate(`spec.ports[${i}].nodePort`, nodePort))
    taken.add(`${protocol}/${nodePort}`)
  })
  taken.clear()
  ports.forEach(({ protocol, port }, i) => {
    // Shown as Kubernetes' internal type, of which only these two count.
    const shown = { Name: '', Protocol: protocol, AppProtocol: null, Port: port, TargetPort: 0, NodePort: 0 }
    if (taken.has(`${protocol}/${port}`)) out.push(duplicate(`spec.ports[${i}]`, shown))
    taken.add(`${protocol}/${port}`)
  })
  return out
}

function balancerErrors({ spec, metadata }: Service): FieldError[] {
  const balanced = spec.type === 'LoadBalancer'
  const out: FieldError[] = []
  const annotation = metadata.annotations?.[SOURCE_RANGES]
  if (spec.loadBalancerSourceRanges?.length) {
    const at = 'spec.LoadBalancerSourceRanges'
    if (!balanced) out.push(forbidden(at, ONLY_BALANCED))
    spec.loadBalancerSourceRanges.forEach((range, i) => out.push(...cidrErrors(`${at}[${i}]`, range.trim())))
  } else if (annotation !== undefined) {
    const at = `metadata.annotations[${SOURCE_RANGES}]`
    if (!balanced) out.push(forbidden(at, ONLY_BALANCED))
    for (const range of annotation.trim() ? annotation.split(',') : []) out.push(...cidrErrors(at, range.trim()))
  }
  if (spec.allocateLoadBalancerNodePorts === undefined) {
    if (balanced) out.push(required('allocateLoadBalancerNodePorts'))
  } else if (!balanced) out.push(forbidden('spec.allocateLoadBalancerNodePorts', ONLY_BALANCED))
  const balancer = spec.loadBalancerClass
  if (balancer === undefined) return out
  const at = 'spec.loadBalancerClass'
  return [...out, ...(balanced ? invalidEach(at, balancer, qualifiedName(balancer)) : [forbidden(at, ONLY_BALANCED)])]
}

function trafficErrors(service: Service): FieldError[] {
  const { spec } = service
  const { externalTrafficPolicy: external, internalTrafficPolicy: internal, healthCheckNodePort: check = 0 } = spec
  const out: FieldError[] = []
  if (isExternallyAccessible(service)) {
    if (!external) out.push(required('spec.externalTrafficPolicy'))
    else if (!TRAFFIC_POLICIES.includes(external)) out.push(notSupported('spec.externalTrafficPolicy', external, TRAFFIC_POLICIES))
  } else if (external) out.push(invalid('spec.externalTrafficPolicy', external, 'may only be set for externally-accessible services'))
  if (needsHealthCheckPort(service)) {
    if (!check) out.push(required('spec.healthCheckNodePort'))
    else out.push(...invalidEach('spec.healthCheckNodePort', check, portNumber(check)))
  } else if (check) {
    const why = "may only be set when `type` is 'LoadBalancer' and `externalTrafficPolicy` is 'Local'"
    out.push(invalid('spec.healthCheckNodePort', check, why))
  }
  if (internal === undefined) {
    if (['NodePort', 'LoadBalancer', 'ClusterIP'].includes(spec.type ?? '')) out.push(required('spec.internalTrafficPolicy'))
  } else if (!TRAFFIC_POLICIES.includes(internal)) out.push(notSupported('spec.internalTrafficPolicy', internal, TRAFFIC_POLICIES))
  const distribution = spec.trafficDistribution
  if (distribution !== undefined && !DISTRIBUTIONS.includes(distribution)) {
    out.push(notSupported('spec.trafficDistribution', distribution, DISTRIBUTIONS))
  }
  return out
}

export function validateServiceUpdate(service: Service, old: Service): FieldError[] {
  const out = validateServiceAddressesUpdate(service, old)
  if (service.spec.type === 'LoadBalancer' && old.spec.type === 'LoadBalancer') {
    const balancer = service.spec.loadBalancerClass
    if (balancer !== old.spec.loadBalancerClass) out.push(invalid('spec.loadBalancerClass', balancer ?? null, 'may not change once set'))
  }
  if (needsHealthCheckPort(old) && needsHealthCheckPort(service) && service.spec.healthCheckNodePort !== old.spec.healthCheckNodePort) {
    out.push(forbidden('spec.healthCheckNodePort', FIELD_IS_IMMUTABLE))
  }
  return out
}

export function validateServiceStatus({ spec, status }: Service): FieldError[] {
  const ingress = status.loadBalancer?.ingress ?? []
  const at = 'status.loadBalancer.ingress'
  if (spec.type !== 'LoadBalancer' && ingress.length) return [forbidden(at, "may only be used when `spec.type` is 'LoadBalancer'")]
  return ingress.flatMap(({ ip, ipMode, hostname }, i) => {
    const field = `${at}[${i}]`
    const out = ip ? ipErrors(`${field}.ip`, ip) : []
    if (ipMode === undefined) {
      if (ip) out.push(required(`${field}.ipMode`, 'must be specified when `ip` is set'))
    } else if (!ip) out.push(forbidden(`${field}.ipMode`, 'may not be specified when `ip` is not set'))
    else if (!IP_MODES.includes(ipMode)) out.push(notSupported(`${field}.ipMode`, ipMode, IP_MODES))
    if (hostname) {
      out.push(...invalidEach(`${field}.hostname`, hostname, dns1123Subdomain(hostname)))
      if (parseIp(hostname)) out.push(invalid(`${field}.hostname`, hostname, 'must be a DNS name, not an IP address'))
    }
    return out
  })
}
