import { replicaSet as replicaSetKind } from '../../api/apps/v1/replica-set.ts'
import { statefulSet as statefulSetKind } from '../../api/apps/v1/stateful-set.ts'
import { namespace as namespaceKind } from '../../api/core/v1/namespace.ts'
import { replicationController as replicationControllerKind } from '../../api/core/v1/replication-controller.ts'
import { service as serviceKind } from '../../api/core/v1/service.ts'
import type { Kind } from '../../api/kind.ts'
import { KINDS } from '../../api/kinds.gen.ts'
import type { PodDisruptionBudget } from '../../api/policy/v1/types.gen.ts'
import type { Informers } from '../../client/informer.ts'
import type { ClusterObjects } from '../snapshot/cluster-objects.ts'

/** What plugins read of the cluster, from informers. Where the API serves no disruption budgets, there are none. */
export function informedObjects(informers: Informers): ClusterObjects {
  const namespaces = informers.for(namespaceKind)
  const services = informers.for(serviceKind)
  const replicaSets = informers.for(replicaSetKind)
  const statefulSets = informers.for(statefulSetKind)
  const replicationControllers = informers.for(replicationControllerKind)
  const budgetKind = KINDS.find(({ group, resource }) => group === 'policy' && resource === 'poddisruptionbudgets')
  const budgets = budgetKind && informers.for(budgetKind as unknown as Kind<PodDisruptionBudget>)
  return {
    namespaceLabels(namespace) {
      const found = namespaces.get(undefined, namespace)
      return found && (found.metadata.labels ?? {})
    },
    namespaces: () => namespaces.list().map(({ metadata }) => metadata.name),
    services: (namespace) => services.list(namespace),
    replicaSet: (namespace, name) => replicaSets.get(namespace, name),
    statefulSet: (namespace, name) => statefulSets.get(namespace, name),
    replicationController: (namespace, name) => replicationControllers.get(namespace, name),
    disruptionBudgets: () => budgets?.list() ?? [],
  }
}
