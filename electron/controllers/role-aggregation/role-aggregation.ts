/** Makes up roles of the rules of others. Source: kubernetes `pkg/controller/clusterroleaggregation`. */
import { clusterRole as clusterRoleKind } from '../../api/rbac/v1/cluster-role.ts'
import type { ClusterRole, PolicyRule } from '../../api/rbac/v1/types.gen.ts'
import { semanticEqual } from '../../api/values/equal.ts'
import { isBeingDeleted } from '../../machinery/object.ts'
import { selectorFromObject } from '../../machinery/selector/label-selector.ts'
import { defineController, watch } from '../runtime/controller.ts'

export const roleAggregationController = defineController({
  name: 'clusterrole-aggregation-controller',
  create({ client, informers }) {
    const roles = informers.for(clusterRoleKind)
    const aggregated = (): string[] => roles.list().flatMap((role) => (role.aggregationRule ? role.metadata.name : []))

    return {
      watches: [watch(roles, aggregated)],
      async reconcile(name) {
        const role = roles.get(undefined, name)
        if (!role?.aggregationRule || isBeingDeleted(role)) return undefined
        const rules = aggregate(role, roles.list())
        if (!semanticEqual(rules, role.rules)) await client.update(clusterRoleKind, { ...role, rules })
        return undefined
      },
    }
  },
})

/** Selector by selector, roles in the order of their names, each rule once: the same for everyone who looks. */
function aggregate(role: ClusterRole, all: readonly ClusterRole[]): PolicyRule[] {
  const sorted = all.filter(({ metadata }) => metadata.name !== role.metadata.name).sort(byName)
  const rules: PolicyRule[] = []
  for (const selector of role.aggregationRule?.clusterRoleSelectors ?? []) {
    const wanted = selectorFromObject(selector)
    for (const rule of sorted.filter(({ metadata }) => wanted.matches(metadata.labels)).flatMap((part) => part.rules ?? [])) {
      if (!rules.some((known) => semanticEqual(known, rule))) rules.push(rule)
    }
  }
  return rules
}

function byName(a: ClusterRole, b: ClusterRole): number {
  return a.metadata.name < b.metadata.name ? -1 : 1
}
