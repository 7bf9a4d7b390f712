/** What a Service holds of the cluster's ranges, and what it may leave to the cluster. */
import type { Service } from '../../../api/core/v1/types.gen.ts'
import { HEADLESS, isHeadless, needsClusterIp, needsNodePorts } from '../../../api/core/v1/service-traits.ts'

/** The address that this Service holds; undefined for headless and external ones. */
export function heldAddress({ spec }: Service): string | undefined {
  const address = spec.clusterIPs?.[0] ?? spec.clusterIP
  return !address || address === HEADLESS ? undefined : address
}

/** The ports that it holds on every node. */
export function heldPorts({ spec }: Service): number[] {
  const ports = new Set((spec.ports ?? []).map((port) => port.nodePort ?? 0))
  ports.add(spec.healthCheckNodePort ?? 0)
  ports.delete(0)
  return [...ports]
}

/** Load balancers may do without. */
export function wantsNodePorts(service: Service): boolean {
  return needsNodePorts(service) && !(service.spec.type === 'LoadBalancer' && service.spec.allocateLoadBalancerNodePorts === false)
}

/** This cluster has IPv4 only: what a Service leaves open is filled in. */
export function setFamilies(service: Service): void {
  const { spec } = service
  if (!needsClusterIp(service)) return
  const open = (isHeadless(service) || spec.clusterIP === HEADLESS) && Object.keys(spec.selector ?? {}).length === 0
  spec.ipFamilyPolicy ??= open ? 'RequireDualStack' : 'SingleStack'
  if (!spec.ipFamilies?.length) spec.ipFamilies = ['IPv4']
  if (open && spec.ipFamilyPolicy !== 'SingleStack' && spec.ipFamilies.length === 1) {
    spec.ipFamilies = [...spec.ipFamilies, spec.ipFamilies[0] === 'IPv4' ? 'IPv6' : 'IPv4']
  }
}
