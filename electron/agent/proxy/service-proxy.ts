/** Services on this node: keeps its nftables rules as Services and their endpoints say. */
import type { Clock } from '../../base/clock.ts'
import { component, type Component, componentWith } from '../../base/lifecycle.ts'
import type { Logger } from '../../base/logger.ts'
import type { AgentConfig } from '../../api/infra/v1alpha1/agent-config.ts'
import type { Refusal, Ruleset } from '../net/nft/ruleset.ts'
import type { NftTable } from '../net/nft/table.ts'
import { Problems, type ProblemSource } from '../net/problem.ts'
import type { ClusterState, StateChange } from '../net/state/cluster-state.ts'
import { HealthChecks, type HealthCheck } from './health-check.ts'
import { proxyRules } from './proxy-rules.ts'
import { servicePorts, type Place } from './service-ports.ts'
import { serviceShare, type ServiceShare } from './service-rules.ts'

export interface ServiceProxyDeps {
  readonly config: Pick<AgentConfig, 'nodeName' | 'clusterCIDR' | 'serviceCIDR' | 'apiVip' | 'dnsVip'>
  readonly state: ClusterState
  readonly table: NftTable
  readonly clock: Clock
  readonly logger: Logger
}

export interface ServiceProxy extends Component, ProblemSource {
  /** Resolves when the rules say what the state of the cluster said at the time of the call. */
  settled(): Promise<void>
}

/** The part of the nftables table that this sets. */
export const SERVICE_RULES = 'services'

interface Known {
  readonly share: ServiceShare
  readonly healthCheck: { readonly port: number; readonly check: HealthCheck } | null
}

/** `start` does not wait for the API server. Disposing leaves the rules in force. */
export function createServiceProxy({ config, state, table, clock, logger }: ServiceProxyDeps): ServiceProxy {
  const { clusterCIDR, serviceCIDR, apiVip, dnsVip } = config
  const ownAddresses = [...new Set([apiVip, dnsVip])]
  const problems = new Problems(logger)
  const healthChecks = new HealthChecks({ clock, problems, healthy: () => table.applied !== null })
  const context = { clusterCIDR, reserved: new Set(ownAddresses) }
  /** By Service, until it or its endpoints change. */
  const known = new Map<string, Known>()
  let place: Place = { node: config.nodeName, zone: null }

  const look = (key: string): Known | null => {
    const service = state.services.get(key)
    // Those that the agent serves itself, on `lo`.
    if (!service || ownAddresses.includes(service.clusterIP ?? '')) return null
    let found = known.get(key)
    if (!found) {
      const ports = servicePorts(service, state.slicesOf(key), place)
      const { namespace, name, externalLocal, healthCheckNodePort: port } = service
      const localEndpoints = new Set(ports.flatMap(({ local }) => local.map(({ address }) => address))).size
      const healthCheck = externalLocal && port !== null ? { port, check: { namespace, name, localEndpoints } } : null
      known.set(key, (found = { share: serviceShare(service, ports, context), healthCheck }))
    }
    return found
  }

  const render = (): Ruleset => {
    const all = [...state.services.keys()].toSorted().flatMap((key) => look(key) ?? [])
    const { rules, refused } = proxyRules(
      all.map(({ share }) => share),
      { clusterCIDR, serviceCIDR, ownAddresses },
    )
    healthChecks.set(new Map(all.flatMap(({ healthCheck }) => (healthCheck ? [[healthCheck.port, healthCheck.check]] : []))))
    problems.set('claims', claimedTwice(refused))
    return rules
  }

  const take = ({ nodes, services }: StateChange) => {
    const zone = state.nodes.get(config.nodeName)?.zone ?? null
    const moved = nodes && zone !== place.zone
    place = { node: config.nodeName, zone }
    if (services === null || moved) known.clear()
    else for (const key of services) known.delete(key)
    if (moved || services === null || services.size) table.set(SERVICE_RULES, render)
  }

  const base = component(async (stack) => {
    stack.use(healthChecks)
    stack.use(state.changed.on(take))
    // Until it is known what there is, the rules of an earlier run stay in force.
    if (state.known) take({ nodes: true, services: null })
  })

  return componentWith(base, {
    settled: () => table.settled(),
    get problems() {
      return problems.problems
    },
    problemsChanged: problems.problemsChanged,
  })
}

function claimedTwice(refused: readonly Refusal[]) {
  if (!refused.length) return null
  const plain = (owner: string) => owner.slice(2)
  const all = refused.map(({ key, owner, holder }) => `${plain(owner)} (${key.replaceAll(' . ', ' ')}, which ${plain(holder)} has)`)
  return {
    reason: 'ServiceAddressTaken',
    message: `Services are not reached at an address and port that another one has: ${all.join('; ')}. Give them other external addresses.`,
    blocking: false,
  }
}
