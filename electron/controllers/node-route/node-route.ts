/**
 * Keeps the network behind the nodes true to the addresses of their pods, where somebody can be told (`RouteProvider`).
 * Source: kubernetes `cloud-provider/controllers/route`.
 */
import { node as nodeKind } from '../../api/core/v1/node.ts'
import type { Node, NodeCondition } from '../../api/core/v1/types.gen.ts'
import { formatTime } from '../../api/values/time.ts'
import { messageOf } from '../../base/errors.ts'
import { setCondition } from '../../machinery/conditions.ts'
import { isBeingDeleted } from '../../machinery/object.ts'
import { defineController, watch, type Change } from '../runtime/controller.ts'
import type { Route } from '../runtime/options.ts'

const KEY = 'routes'
/** Milliseconds after which routes are compared again: others may have changed them. */
const LOOK_EVERY = 10_000
const UNAVAILABLE = 'NetworkUnavailable'

export const nodeRouteController = defineController({
  name: 'node-route-controller',
  component: 'route_controller',
  workers: 1,
  create({ client, clock, events, informers, logger, options, signal }) {
    const { routes: provider, clusterCidr } = options
    if (!provider) return null
    const nodes = informers.for(nodeKind)

    return {
      watches: [watch(nodes, (change) => (hasMoved(change) ? [KEY] : []))],
      async reconcile() {
        const there = await provider.list(signal)
        const wanted = nodes
          .list()
          .filter((node) => !isBeingDeleted(node))
          .flatMap(routesOf)
        const known = new Set(wanted.map(keyOf))
        for (const route of there) {
          if (!known.has(keyOf(route)) && isOurs(route, clusterCidr)) await provider.delete(route, signal)
        }
        const present = new Set(there.map(keyOf))
        const failed = new Set<string>()
        for (const route of wanted) {
          if (present.has(keyOf(route))) continue
          try {
            await provider.create(route, signal)
          } catch (error) {
            signal.throwIfAborted()
            failed.add(route.node)
            const node = nodes.get(undefined, route.node)
            const why = `Could not create route to ${route.node} for ${route.cidr}: ${messageOf(error)}`
            logger.warn('a route was not made', { ...route, error })
            if (node) events.event(node, 'Warning', 'FailedToCreateRoute', why)
          }
        }
        for (const node of nodes.list()) if (routesOf(node).length > 0) await tell(node, !failed.has(node.metadata.name))
        return { requeueAfter: LOOK_EVERY }
      },
    }

    async function tell(node: Node, isReached: boolean): Promise<void> {
      const condition = isReached
        ? { type: UNAVAILABLE, status: 'False', reason: 'RouteCreated', message: 'RouteController created a route' }
        : { type: UNAVAILABLE, status: 'True', reason: 'NoRouteCreated', message: 'RouteController failed to create a route' }
      const now = formatTime(clock.now())
      const conditions = setCondition<NodeCondition>(node.status.conditions, condition, now)
      if (conditions === node.status.conditions) return
      const body = { status: { conditions: [conditions.find(({ type }) => type === UNAVAILABLE)] } }
      await client.patch(nodeKind, { name: node.metadata.name }, { type: 'strategic', body }, { subresource: 'status' })
    }
  },
})

function routesOf({ metadata, spec }: Node): Route[] {
  const cidrs = spec.podCIDRs?.length ? spec.podCIDRs : spec.podCIDR ? [spec.podCIDR] : []
  return cidrs.map((cidr) => ({ node: metadata.name, cidr }))
}

function keyOf({ node, cidr }: Route): string {
  return `${node} ${cidr}`
}

/** Others' routes are left alone: those to addresses that are not of pods. */
function isOurs({ cidr }: Route, clusterCidr: string | undefined): boolean {
  if (clusterCidr === undefined) return false
  const [base = '', length = ''] = clusterCidr.split('/')
  const [address = '', own = ''] = cidr.split('/')
  const [a, b] = [bitsOf(base), bitsOf(address)]
  return a !== null && b !== null && Number(own) >= Number(length) && a.slice(0, Number(length)) === b.slice(0, Number(length))
}

/** The 32 bits of an IPv4 address; null for what is none. */
function bitsOf(address: string): string | null {
  const parts = address.split('.').map(Number)
  if (parts.length !== 4 || parts.some((part) => !Number.isInteger(part) || part < 0 || part > 255)) return null
  return parts.map((part) => part.toString(2).padStart(8, '0')).join('')
}

function hasMoved({ type, object, old }: Change<Node>): boolean {
  return type !== 'update' || old === undefined || routesOf(object).map(keyOf).join() !== routesOf(old).map(keyOf).join()
}
