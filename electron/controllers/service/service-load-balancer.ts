/** Gives Services of type LoadBalancer what they are reached at. Source: kubernetes `cloud-provider/controllers/service`. */
import { node as nodeKind } from '../../api/core/v1/node.ts'
import { service as serviceKind } from '../../api/core/v1/service.ts'
import type { LoadBalancerIngress, Node, Service } from '../../api/core/v1/types.gen.ts'
import { endpointSlice as sliceKind } from '../../api/discovery/v1/endpoint-slice.ts'
import type { EndpointSlice } from '../../api/discovery/v1/types.gen.ts'
import { machine as machineKind } from '../../api/infra/v1alpha1/machine.ts'
import { semanticEqual } from '../../api/values/equal.ts'
import { isConditionTrue } from '../../machinery/conditions.ts'
import { hasFinalizer, isBeingDeleted, keyOf, splitKey, withFinalizer, withoutFinalizer } from '../../machinery/object.ts'
import { hasReason } from '../../machinery/status.ts'
import { defineController, watch, type Change, type Outcome } from '../runtime/controller.ts'
import { nodeAddresses } from './node-addresses.ts'
import { isFor, NotPossible, type LoadBalancerProvider } from './provider.ts'

const FINALIZER = 'service.kubernetes.io/load-balancer-cleanup'
const EXCLUDED = 'node.kubernetes.io/exclude-from-external-load-balancers'
const LEAVING = 'ToBeDeletedByClusterAutoscaler'
const SERVICE_NAME = 'kubernetes.io/service-name'
const BY_SERVICE = 'load-balanced-service'
/** SSH, and what nodes tell each other: without these a machine is lost. */
const RESERVED: readonly (readonly [key: string, purpose: string])[] = [
  ['TCP/22', 'SSH'],
  ['TCP/10250', 'the agent'],
  ['UDP/8472', 'the network between pods'],
]

export const serviceLoadBalancerController = defineController({
  name: 'service-lb-controller',
  component: 'service-controller',
  create({ client, events, informers }) {
    const services = informers.for(serviceKind)
    const nodes = informers.for(nodeKind)
    const slices = informers.for(sliceKind)
    const machines = informers.for(machineKind)
    slices.addIndex(BY_SERVICE, ({ metadata }) => [`${metadata.namespace}/${metadata.labels?.[SERVICE_NAME] ?? ''}`])
    const reserved = () =>
      new Map([...RESERVED, ...machines.list().flatMap(({ spec }) => (spec.ssh ? [[`TCP/${spec.ssh.port}`, 'SSH'] as const] : []))])
    const provider: LoadBalancerProvider = nodeAddresses({ reserved })

    const balanced = () => services.list().filter((service) => isFor(provider, service) && !isBeingDeleted(service))
    const all = () => balanced().map(keyOf)
    /** Ports that one gives up another may be waiting for. */
    const serviceChanged = ({ object, old, type }: Change<Service>): string[] => {
      const concerns = isFor(provider, object) || (old && isFor(provider, old))
      const others = concerns && (type !== 'update' || !semanticEqual(object.spec, old.spec) || isBeingDeleted(object)) ? all() : []
      return [keyOf(object), ...others]
    }
    const nodeChanged = ({ object, old }: Change<Node>): string[] => (old && semanticEqual(relevant(object), relevant(old)) ? [] : all())
    const sliceChanged = ({ object }: Change<EndpointSlice>): string[] => {
      const { namespace, labels } = object.metadata
      const service = services.get(namespace, labels?.[SERVICE_NAME] ?? '')
      return service?.spec.externalTrafficPolicy === 'Local' && isFor(provider, service) ? [keyOf(service)] : []
    }

    /** With traffic that stays on its node only those that have something to take it. */
    const nodesFor = (service: Service): Node[] => {
      const usable = nodes.list().filter(isUsable)
      if (service.spec.externalTrafficPolicy !== 'Local') return usable
      const endpoints = slices.byIndex(BY_SERVICE, keyOf(service)).flatMap((slice) => slice.endpoints ?? [])
      const names = new Set(endpoints.flatMap(({ nodeName, conditions }) => (nodeName && conditions?.ready !== false ? [nodeName] : [])))
      return usable.filter(({ metadata }) => names.has(metadata.name))
    }

    const write = async (service: Service, ingress: readonly LoadBalancerIngress[]): Promise<Service> => {
      if (semanticEqual(service.status.loadBalancer.ingress ?? [], ingress)) return service
      const loadBalancer = ingress.length > 0 ? { ingress: ingress.map((one) => ({ ...one })) } : {}
      return client.update(serviceKind, { ...service, status: { ...service.status, loadBalancer } }, { subresource: 'status' })
    }

    const ensure = async (service: Service): Promise<Outcome> => {
      let current = service
      const before = service.status.loadBalancer.ingress ?? []
      if (!hasFinalizer(service, FINALIZER)) {
        events.event(service, 'Normal', 'EnsuringLoadBalancer', 'Ensuring load balancer')
        const finalizers = withFinalizer(service, FINALIZER)
        current = await client.update(serviceKind, { ...service, metadata: { ...service.metadata, finalizers } })
      }
      const others = balanced().filter(({ metadata }) => metadata.uid !== service.metadata.uid)
      try {
        const ingress = provider.ensure(current, nodesFor(current), others).toSorted((a, b) => ((a.ip ?? '') < (b.ip ?? '') ? -1 : 1))
        current = await write(current, ingress)
        if (ingress.length === 0) {
          events.event(current, 'Warning', 'UnAvailableLoadBalancer', 'There are no available nodes for LoadBalancer')
        } else if (before.length === 0) events.event(current, 'Normal', 'EnsuredLoadBalancer', 'Ensured load balancer')
        else if (!semanticEqual(before, ingress)) {
          events.event(current, 'Normal', 'UpdatedLoadBalancer', 'Updated load balancer with new hosts')
        }
      } catch (error) {
        if (!(error instanceof NotPossible)) throw error
        await write(current, [])
        events.event(
          current,
          'Warning',
          'SyncLoadBalancerFailed',
          `Error syncing load balancer: failed to ensure load balancer: ${error.message}`,
        )
      }
      return undefined
    }

    const release = async (service: Service): Promise<Outcome> => {
      if (!hasFinalizer(service, FINALIZER)) return undefined
      events.event(service, 'Normal', 'DeletingLoadBalancer', 'Deleting load balancer')
      const current = await write(service, [])
      const finalizers = withoutFinalizer(current, FINALIZER)
      await client.update(serviceKind, { ...current, metadata: { ...current.metadata, finalizers } }).catch((error: unknown) => {
        if (!hasReason(error, 'NotFound')) throw error
      })
      events.event(service, 'Normal', 'DeletedLoadBalancer', 'Deleted load balancer')
      return undefined
    }

    return {
      watches: [watch(services, serviceChanged), watch(nodes, nodeChanged), watch(slices, sliceChanged), watch(machines, all)],
      async reconcile(key) {
        const { namespace, name } = splitKey(key)
        const service = services.get(namespace, name)
        if (!service) return undefined
        return isFor(provider, service) && !isBeingDeleted(service) ? ensure(service) : release(service)
      },
    }
  },
})

/** Source: kubernetes `cloud-provider/controllers/service`, `stableNodeSetPredicates`, with readiness. */
function isUsable(node: Node): boolean {
  const { metadata, spec, status } = node
  if (isBeingDeleted(node) || metadata.labels?.[EXCLUDED] !== undefined) return false
  return isConditionTrue(status.conditions, 'Ready') && !spec.taints?.some(({ key }) => key === LEAVING)
}

function relevant(node: Node): unknown {
  return [isUsable(node), node.status.addresses]
}
