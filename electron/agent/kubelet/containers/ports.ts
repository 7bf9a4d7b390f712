/** Ports of the node that lead into a pod. */
import type { Container, Pod } from '../../../api/core/v1/types.gen.ts'
import type { PortMapping } from '../../runtime/cri.ts'
import { Protocol } from '../../runtime/gen/cri_pb.js'

/** For CNI's port mapping; a pod on the node's network has none. */
export function portMappings(pod: Pod): PortMapping[] {
  if (pod.spec.hostNetwork) return []
  const containers = [...pod.spec.containers, ...(pod.spec.initContainers ?? [])]
  return containers.flatMap(({ ports = [] }) =>
    ports.map(({ containerPort, hostPort = 0, hostIP = '', protocol }) => ({
      containerPort,
      hostPort,
      hostIp: hostIP,
      protocol: protocolOf(protocol),
    })),
  )
}

function protocolOf(protocol: string | undefined): Protocol {
  switch (protocol) {
    case 'UDP':
      return Protocol.UDP
    case 'SCTP':
      return Protocol.SCTP
    default:
      return Protocol.TCP
  }
}

/** The number of a port that is written as a number or as the name of one of the container's ports; null if there is none. */
export function resolvePort(port: number | string, container: Container): number | null {
  if (typeof port === 'number') return port
  const named = container.ports?.find(({ name }) => name === port)
  if (named) return named.containerPort
  const number = Number(port)
  return Number.isInteger(number) && number > 0 ? number : null
}
