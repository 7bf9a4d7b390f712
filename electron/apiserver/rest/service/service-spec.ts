/** What a Service's spec asks of the cluster, as pure functions. Source: kubernetes `registry/core/service/storage`. */
import type { Service, ServicePort } from '../../../api/core/v1/types.gen.ts'

type Spec = Service['spec']

export const NONE = 'None'

export function needsClusterIP({ type }: Spec): boolean {
  return type === 'ClusterIP' || type === 'NodePort' || type === 'LoadBalancer'
}

export function isHeadless({ clusterIP, clusterIPs }: Spec): boolean {
  return clusterIP === NONE || clusterIPs?.[0] === NONE
}

export function needsNodePorts({ type, allocateLoadBalancerNodePorts }: Spec): boolean {
  return type === 'NodePort' || (type === 'LoadBalancer' && allocateLoadBalancerNodePorts !== false)
}

/** Node ports mean something, whether or not they are allocated. */
export function mayHaveNodePorts({ type }: Spec): boolean {
  return type === 'NodePort' || type === 'LoadBalancer'
}

export function needsHealthCheckPort({ type, externalTrafficPolicy }: Spec): boolean {
  return type === 'LoadBalancer' && externalTrafficPolicy === 'Local'
}

/** The address that this Service holds in the cluster's range; undefined for headless and external ones. */
export function heldAddress({ spec }: Service): string | undefined {
  const address = spec.clusterIPs?.[0] ?? spec.clusterIP
  return !address || address === NONE ? undefined : address
}

/** The ports that it holds on every node. */
export function heldPorts({ spec }: Service): number[] {
  const ports = new Set((spec.ports ?? []).map((port) => port.nodePort ?? 0))
  ports.add(spec.healthCheckNodePort ?? 0)
  ports.delete(0)
  return [...ports]
}

/** `clusterIP` and `clusterIPs` say the same; whichever a client has written is followed. */
export function alignAddresses(spec: Spec, old: Spec | null): void {
  if (!old) {
    if (spec.clusterIP && !spec.clusterIPs?.length) spec.clusterIPs = [spec.clusterIP]
    return
  }
  const changed = (spec.clusterIP ?? '') !== (old.clusterIP ?? '')
  const manyChanged = JSON.stringify(spec.clusterIPs ?? []) !== JSON.stringify(old.clusterIPs ?? [])
  if (!changed || manyChanged) return
  if (!spec.clusterIP && old.clusterIP) delete spec.clusterIPs
  else if (spec.clusterIP) spec.clusterIPs = [spec.clusterIP, ...(spec.clusterIPs ?? []).slice(1)]
}

/** A cluster with IPv4 only: what a Service may leave open is filled in. */
export function setFamilies(spec: Spec): void {
  if (!needsClusterIP(spec)) {
    delete spec.ipFamilies
    delete spec.ipFamilyPolicy
    return
  }
  const open = isHeadless(spec) && Object.keys(spec.selector ?? {}).length === 0
  spec.ipFamilyPolicy ??= open ? 'RequireDualStack' : 'SingleStack'
  if (!spec.ipFamilies?.length) spec.ipFamilies = ['IPv4']
  if (open && spec.ipFamilyPolicy !== 'SingleStack' && spec.ipFamilies.length === 1) {
    spec.ipFamilies = [...spec.ipFamilies, spec.ipFamilies[0] === 'IPv4' ? 'IPv6' : 'IPv4']
  }
}

/** An update that leaves out what was allocated means to keep it. */
export function keepAllocated(spec: Spec, old: Spec): void {
  if (needsClusterIP(old) && needsClusterIP(spec)) {
    if (!spec.clusterIP) {
      if (old.clusterIP) spec.clusterIP = old.clusterIP
      if (!spec.clusterIPs?.length && old.clusterIPs) spec.clusterIPs = [...old.clusterIPs]
    }
  }
  if (needsNodePorts(old) && needsNodePorts(spec)) keepNodePorts(spec.ports ?? [], old.ports ?? [])
  if (needsHealthCheckPort(old) && needsHealthCheckPort(spec) && old.healthCheckNodePort)
    spec.healthCheckNodePort ??= old.healthCheckNodePort
}

function keepNodePorts(ports: readonly ServicePort[], old: readonly ServicePort[]): void {
  const used = new Set(ports.map((port) => port.nodePort ?? 0))
  for (const port of ports) {
    if (port.nodePort) continue
    const before = old.find((o) => o.port === port.port && o.protocol === port.protocol)?.nodePort
    if (before && !used.has(before)) port.nodePort = before
  }
}

/** A change of type takes with it what only the old type needs, unless the client has changed that as well. */
export function dropForType(spec: Spec, old: Spec): void {
  if (needsClusterIP(old) && !needsClusterIP(spec) && (spec.clusterIP ?? '') === (old.clusterIP ?? '')) {
    delete spec.clusterIP
    delete spec.clusterIPs
    delete spec.ipFamilies
    delete spec.ipFamilyPolicy
  }
  if (mayHaveNodePorts(old) && !mayHaveNodePorts(spec) && samePorts(spec, old)) for (const port of spec.ports ?? []) delete port.nodePort
  if (needsHealthCheckPort(old) && !needsHealthCheckPort(spec) && spec.healthCheckNodePort === old.healthCheckNodePort) {
    delete spec.healthCheckNodePort
  }
  if (old.type === 'LoadBalancer' && spec.type !== 'LoadBalancer') {
    if (spec.allocateLoadBalancerNodePorts === old.allocateLoadBalancerNodePorts) delete spec.allocateLoadBalancerNodePorts
    if (spec.loadBalancerClass === old.loadBalancerClass) delete spec.loadBalancerClass
  }
  if (mayHaveNodePorts(old) && !mayHaveNodePorts(spec) && spec.externalTrafficPolicy === old.externalTrafficPolicy) {
    delete spec.externalTrafficPolicy
  }
}

function samePorts(spec: Spec, old: Spec): boolean {
  const key = (s: Spec) => JSON.stringify((s.ports ?? []).map((port) => port.nodePort ?? 0))
  return key(spec) === key(old)
}
