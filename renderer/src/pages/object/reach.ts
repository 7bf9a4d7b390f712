/** Where a Service can be reached from, as addresses that can be opened or copied. */
import type { Node, Service } from '../../../../electron/api/core/v1/types.gen.ts'

export interface ReachAddress {
  readonly where: 'cluster' | 'machine'
  readonly text: string
  /** For what a browser may open: TCP ports only. */
  readonly href?: string
}

export function addressesOf(service: Service, nodes: readonly Node[]): ReachAddress[] {
  const { name, namespace = '' } = service.metadata
  const inside: ReachAddress[] = (service.spec.ports ?? []).map((port) => ({ where: 'cluster', text: `${name}.${namespace}:${port.port}` }))
  const open = nodes.filter((node) => node.status.conditions?.some((c) => c.type === 'Ready' && c.status === 'True'))
  const outside = (service.spec.ports ?? []).flatMap((port) => {
    const { nodePort, protocol } = port
    if (!nodePort) return []
    return open.flatMap((node): ReachAddress[] => {
      const ip = node.status.addresses?.find((a) => a.type === 'InternalIP')?.address
      if (!ip) return []
      const host = ip.includes(':') ? `[${ip}]` : ip
      const scheme = port.port === 443 || port.name === 'https' ? 'https' : 'http'
      return [
        {
          where: 'machine',
          text: `${host}:${nodePort}`,
          ...((protocol ?? 'TCP') === 'TCP' ? { href: `${scheme}://${host}:${nodePort}` } : {}),
        },
      ]
    })
  })
  return [...outside, ...inside]
}
