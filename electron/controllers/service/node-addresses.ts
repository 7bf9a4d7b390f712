/**
 * Load balancers without a cloud: a Service is reached at the addresses of the nodes themselves, at its own ports. The agents' proxies
 * take what comes to an address of `status.loadBalancer.ingress` on any node, so that nothing more needs to run anywhere.
 */
import type { LoadBalancerIngress, Node, NodeAddress, Service, ServicePort } from '../../api/core/v1/types.gen.ts'
import { NotPossible, type LoadBalancerProvider } from './provider.ts'

export interface NodeAddressesOptions {
  /** "protocol/port" that the machines need themselves, with what for: a Service there would cut them off. */
  readonly reserved: () => ReadonlyMap<string, string>
}

export const NODE_ADDRESSES = 'flotilla.dev/node-addresses'

export function nodeAddresses({ reserved }: NodeAddressesOptions): LoadBalancerProvider {
  return {
    loadBalancerClass: NODE_ADDRESSES,
    ensure(service, nodes, others) {
      const kept = reserved()
      for (const port of service.spec.ports ?? []) {
        const purpose = kept.get(keyOf(port))
        if (purpose !== undefined)
          throw new NotPossible(`port ${portText(port)} of the nodes is needed for ${purpose}; choose another port`)
        const holder = others.find((other) => isBefore(other, service) && other.spec.ports?.some((one) => keyOf(one) === keyOf(port)))
        if (holder) {
          const { namespace, name } = holder.metadata
          throw new NotPossible(`port ${portText(port)} of the nodes is taken by the Service ${namespace}/${name}; choose another port`)
        }
      }
      return nodes.flatMap((node) => addressOf(node) ?? []).map((ip): LoadBalancerIngress => ({ ip, ipMode: 'VIP' }))
    },
  }
}

const keyOf = ({ protocol, port }: ServicePort) => `${protocol}/${port}`
const portText = ({ protocol, port }: ServicePort) => `${port}/${protocol}`

/** Who has its addresses already goes first, then who was made first. */
function isBefore(other: Service, service: Service): boolean {
  const [a, b] = [rank(other), rank(service)]
  return a < b
}

function rank({ metadata, status }: Service): string {
  return `${status.loadBalancer.ingress?.length ? 0 : 1} ${metadata.creationTimestamp} ${metadata.uid}`
}

/** IPv4, as the agents' proxies. */
function addressOf({ status }: Node): string | undefined {
  const of = (type: NodeAddress['type']) => status.addresses?.find((one) => one.type === type && one.address.includes('.'))?.address
  return of('ExternalIP') ?? of('InternalIP')
}
