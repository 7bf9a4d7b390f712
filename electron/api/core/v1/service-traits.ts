/** What follows from a service's type. Source: kubernetes `api/service/util.go`, `registry/core/service/strategy.go`. */
import type { Service } from './types.gen.ts'

export const HEADLESS = 'None'

export const needsClusterIp = ({ spec }: Service) => spec.type !== 'ExternalName'

export const needsNodePorts = ({ spec }: Service) => spec.type === 'NodePort' || spec.type === 'LoadBalancer'

/** A port on every node by which a load balancer finds the nodes that have an endpoint. */
export const needsHealthCheckPort = ({ spec }: Service) => spec.type === 'LoadBalancer' && spec.externalTrafficPolicy === 'Local'

/** Asked for no address of its own: its name stands for its endpoints' addresses. */
export const isHeadless = ({ spec }: Service) => spec.clusterIPs?.length === 1 && spec.clusterIPs[0] === HEADLESS

export const isExternallyAccessible = ({ spec }: Service) =>
  spec.type === 'LoadBalancer' || spec.type === 'NodePort' || (spec.type === 'ClusterIP' && (spec.externalIPs?.length ?? 0) > 0)
