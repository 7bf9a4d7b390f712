/**
 * What a change of a service means beyond what it says: values that the server allots are kept, and those that the new type has
 * no use for go. Source: kubernetes `registry/core/service/storage/storage.go`, `strategy.go`. Allotting is the server's part.
 */
import { semanticEqual } from '../../values/equal.ts'
import { isExternallyAccessible, needsClusterIp, needsHealthCheckPort, needsNodePorts } from './service-traits.ts'
import type { Service } from './types.gen.ts'

/** Of a new service: who names one address means the first of a list. */
export function fillClusterIps({ spec }: Service): void {
  if (spec.clusterIP && !spec.clusterIPs?.length) spec.clusterIPs = [spec.clusterIP]
}

/** Before the server allots anything: who sends a service without what was allotted to it does not mean to give it back. */
export function keepAllocatedValues(service: Service, old: Service): void {
  const { spec } = service
  if (needsClusterIp(old) && needsClusterIp(service)) {
    if (old.spec.clusterIP) spec.clusterIP ||= old.spec.clusterIP
    if (!spec.clusterIPs?.length && old.spec.clusterIPs?.length) spec.clusterIPs = [...old.spec.clusterIPs]
  }
  if (needsNodePorts(old) && needsNodePorts(service)) keepNodePorts(service, old)
  if (needsHealthCheckPort(old) && needsHealthCheckPort(service) && old.spec.healthCheckNodePort) {
    spec.healthCheckNodePort ||= old.spec.healthCheckNodePort
  }
  normaliseClusterIps(service, old)
}

/** By the names of the ports, unless another port has the number by now. */
function keepNodePorts({ spec }: Service, old: Service): void {
  const now = nodePortsOf({ spec })
  const used = new Set(nodePortsOf(old).filter((port) => now.includes(port)))
  const known = new Map((old.spec.ports ?? []).map(({ name = '', nodePort }) => [name, nodePort]))
  for (const port of spec.ports ?? []) {
    const before = known.get(port.name ?? '')
    if (!port.nodePort && before && !used.has(before)) port.nodePort = before
  }
}

const nodePortsOf = ({ spec }: Pick<Service, 'spec'>) => (spec.ports ?? []).flatMap(({ nodePort }) => (nodePort ? [nodePort] : []))

/** `clusterIPs` follows `clusterIP` where only the latter was changed. */
function normaliseClusterIps({ spec }: Service, { spec: old }: Service): void {
  if (!spec.clusterIPs?.length && old.clusterIPs?.length && spec.clusterIP === old.clusterIP) spec.clusterIPs = [...old.clusterIPs]
  if ((spec.clusterIP ?? '') === (old.clusterIP ?? '') || !semanticEqual(spec.clusterIPs, old.clusterIPs)) return
  if (spec.clusterIP) spec.clusterIPs = [spec.clusterIP]
  else delete spec.clusterIPs
}

/** Takes back what the new type has no use for, unless the change touches it: then validation says so. */
export function dropTypeDependentFields(service: Service, old: Service): void {
  const { spec } = service
  const before = old.spec
  if (needsClusterIp(old) && !needsClusterIp(service)) {
    if (spec.clusterIP === before.clusterIP && semanticEqual(spec.clusterIPs, before.clusterIPs)) {
      delete spec.clusterIP
      delete spec.clusterIPs
    }
    if (semanticEqual(spec.ipFamilies, before.ipFamilies)) delete spec.ipFamilies
    if (spec.ipFamilyPolicy === before.ipFamilyPolicy) delete spec.ipFamilyPolicy
  }
  if (needsNodePorts(old) && !needsNodePorts(service)) {
    const known = new Set(nodePortsOf(old))
    if (nodePortsOf(service).every((port) => known.has(port))) for (const port of spec.ports ?? []) delete port.nodePort
  }
  if (needsHealthCheckPort(old) && !needsHealthCheckPort(service) && spec.healthCheckNodePort === before.healthCheckNodePort) {
    delete spec.healthCheckNodePort
  }
  if (before.type === 'LoadBalancer' && spec.type !== 'LoadBalancer') {
    if (spec.allocateLoadBalancerNodePorts === before.allocateLoadBalancerNodePorts) delete spec.allocateLoadBalancerNodePorts
    if (spec.loadBalancerClass === before.loadBalancerClass) delete spec.loadBalancerClass
  }
  if (isExternallyAccessible(old) && !isExternallyAccessible(service) && spec.externalTrafficPolicy === before.externalTrafficPolicy) {
    delete spec.externalTrafficPolicy
  }
  if (spec.type !== 'LoadBalancer') service.status = { ...service.status, loadBalancer: {} }
}
