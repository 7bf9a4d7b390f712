/** The RBAC authorizer over informers, and the questions that are asked of it. Source: kubernetes "Using RBAC Authorization". */
import { clusterRoleBinding } from '../../api/rbac/v1/cluster-role-binding.ts'
import { clusterRole } from '../../api/rbac/v1/cluster-role.ts'
import { roleBinding } from '../../api/rbac/v1/role-binding.ts'
import { role } from '../../api/rbac/v1/role.ts'
import type { Informers } from '../../client/informer.ts'
import type { Authorizer } from '../types.ts'
import { RbacPolicy } from './policy.ts'
import { probeOf } from './rules.ts'

/** The policy follows the informers' copies for as long as they run. */
export function watchPolicy(informers: Informers): RbacPolicy {
  const policy = new RbacPolicy()
  for (const kind of [role, clusterRole] as const) {
    informers.for(kind).on({
      add: (object) => policy.setRole(object),
      update: (object) => policy.setRole(object),
      delete: (object) => policy.deleteRole(object),
    })
  }
  for (const kind of [roleBinding, clusterRoleBinding] as const) {
    informers.for(kind).on({
      add: (object) => policy.setBinding(object),
      update: (object) => policy.setBinding(object),
      delete: (object) => policy.deleteBinding(object),
    })
  }
  return policy
}

export function rbacAuthorizer(policy: RbacPolicy): Authorizer {
  return async (attributes) => policy.decide(attributes.user, attributes.resource?.namespace ?? '', probeOf(attributes))
}
