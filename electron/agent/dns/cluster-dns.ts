/** The cluster's DNS on this node: what pods have as their name server. */
import type { Clock } from '../../base/clock.ts'
import { component, startIn, type Component, componentWith } from '../../base/lifecycle.ts'
import type { Logger } from '../../base/logger.ts'
import type { Random } from '../../base/random.ts'
import type { AgentConfig } from '../../api/infra/v1alpha1/agent-config.ts'
import type { ProblemSource } from '../net/problem.ts'
import type { ClusterState } from '../net/state/cluster-state.ts'
import { Resolver } from './resolver.ts'
import { createDnsListener } from './server/dns-listener.ts'
import { Forwarder } from './upstream/forwarder.ts'
import { createHostResolvers, RESOLVER_FILES } from './upstream/host-resolvers.ts'
import { createClusterZone, startOfAuthority } from './zone/cluster-zone.ts'
import { createReverseZone } from './zone/reverse-zone.ts'
import { ServiceIndex } from './zone/service-index.ts'

export interface ClusterDnsDeps {
  readonly config: Pick<AgentConfig, 'clusterDomain' | 'dnsVip' | 'serviceCIDR' | 'clusterCIDR'>
  readonly state: Pick<ClusterState, 'known' | 'services' | 'slicesOf' | 'changed'>
  readonly clock: Clock
  readonly random: Random
  readonly logger: Logger
  /** Where it listens; absent: 53. */
  readonly port?: number
  /** Where the machine's name servers are named (resolv.conf(5)), and their port; absent: those of the system, 53. */
  readonly resolverFiles?: readonly string[]
  readonly resolverPort?: number
}

export interface ClusterDns extends Component, ProblemSource {
  /** Whether it answers over UDP and TCP. */
  readonly listening: boolean
}

const DNS_PORT = 53

/** `start` waits neither for the API server nor for the address to be there. */
export function createClusterDns(deps: ClusterDnsDeps): ClusterDns {
  const { config, state, clock, random, logger, port = DNS_PORT, resolverFiles = RESOLVER_FILES, resolverPort = DNS_PORT } = deps
  const { dnsVip, serviceCIDR, clusterCIDR } = config
  const domain = config.clusterDomain.toLowerCase().replace(/\.$/, '')
  const now = () => clock.now()

  const resolvers = createHostResolvers({ files: resolverFiles, own: new Set([dnsVip]), clock })
  let resolver: Resolver | null = null
  const listener = createDnsListener({
    ...{ address: dnsVip, port, clock, logger },
    answer: async (message, protocol) => (resolver ? resolver.answer(message, protocol) : null),
  })

  const base = component(async (stack, signal) => {
    await startIn(stack, resolvers, signal)
    const forwarder = stack.use(new Forwarder({ resolvers, port: resolverPort, clock, random, logger }))
    const services = stack.use(new ServiceIndex(state))
    resolver = new Resolver({
      zones: [
        createClusterZone({ domain, address: dnsVip, services, now }),
        createReverseZone({ domain, cidrs: [serviceCIDR, clusterCIDR], services }),
      ],
      authority: (zone) => startOfAuthority(zone, domain, clock.now()),
      ...{ forwarder, random, logger },
    })
    await startIn(stack, listener, signal)
  })

  return componentWith(base, {
    get listening() {
      return listener.listening
    },
    get problems() {
      return listener.problems
    },
    problemsChanged: listener.problemsChanged,
  })
}
