/**
 * No one may grant what they do not hold: the check on writes of roles and bindings, unless the verb `escalate` or `bind` allows it.
 * Source: kubernetes "Privilege escalation prevention and bootstrapping".
 */
import type { ClusterRole, PolicyRule, RoleRef } from '../../api/rbac/v1/types.gen.ts'
import type { KubeObject } from '../../api/meta/v1/object.ts'
import { semanticEqual } from '../../api/values/equal.ts'
import { forbidden, notFound } from '../../machinery/status.ts'
import type { AdmissionCheck, AdmissionRequest, Authorizer } from '../types.ts'
import { MASTERS } from './authorizers.ts'
import { compact, shownRule, uncovered } from './covers.ts'
import { aggregate, type AnyBinding, type AnyRole, type RbacPolicy } from './policy.ts'

const GROUP = 'rbac.authorization.k8s.io'
const EVERYTHING: readonly PolicyRule[] = [
  { verbs: ['*'], apiGroups: ['*'], resources: ['*'] },
  { verbs: ['*'], nonResourceURLs: ['*'] },
]

export function escalationCheck(policy: RbacPolicy, authorize: Authorizer): AdmissionCheck {
  const may = async (request: AdmissionRequest, verb: string, resource: string, name: string) => {
    const asked = { group: GROUP, version: 'v1', resource, subresource: '', namespace: request.namespace, name }
    return (await authorize({ user: request.user, verb, resource: asked, path: '' })).allowed
  }

  /** Throws 403 unless the user holds all of the rules in the request's namespace. */
  const confirm = (request: AdmissionRequest, wanted: readonly PolicyRule[]) => {
    const { user, namespace, name, kind } = request
    const { rules, errors } = policy.rulesFor(user, namespace)
    const missing = uncovered(rules, wanted)
    if (!missing.length) return
    const groups = user.groups.map((group) => JSON.stringify(group)).join(' ')
    const lines = compact(missing).map(shownRule).sort()
    const trouble = errors.length ? `; resolution errors: ${aggregate(errors)}` : ''
    const why = `user ${JSON.stringify(user.name)} (groups=[${groups}]) is attempting to grant RBAC permissions not currently held:`
    throw forbidden({ group: GROUP, resource: kind.resource }, name, `${why}\n${lines.join('\n')}${trouble}`)
  }

  return async (request) => {
    const { kind, operation, object, old, user, subresource } = request
    if (kind.group !== GROUP || subresource || !object || (operation !== 'CREATE' && operation !== 'UPDATE')) return
    if (user.groups.includes(MASTERS) || (old && onlyMetadataChanged(object, old))) return
    if (kind.resource === 'roles' || kind.resource === 'clusterroles') {
      if (await may(request, 'escalate', kind.resource, request.name)) return
      confirm(request, (object as AnyRole).rules ?? [])
      if (aggregates(object) || (old && aggregates(old))) confirm(request, EVERYTHING)
    } else if (kind.resource === 'rolebindings' || kind.resource === 'clusterrolebindings') {
      const { roleRef } = object as AnyBinding
      if (await may(request, 'bind', roleRef.kind === 'Role' ? 'roles' : 'clusterroles', roleRef.name)) return
      confirm(request, wantedRules(policy, roleRef, request.namespace))
    }
  }
}

function wantedRules(policy: RbacPolicy, ref: RoleRef, namespace: string): readonly PolicyRule[] {
  const rules = policy.rulesOf(ref, namespace)
  if (rules) return rules
  throw notFound({ group: GROUP, resource: ref.kind === 'Role' ? 'roles' : 'clusterroles' }, ref.name)
}

function aggregates(object: KubeObject): boolean {
  return (object as ClusterRole).aggregationRule !== undefined
}

/** The garbage collector changes owners and finalizers of what it could not have granted. */
function onlyMetadataChanged(object: KubeObject, old: KubeObject): boolean {
  const rest = ({ metadata, ...others }: KubeObject) => {
    const { ownerReferences: _o, finalizers: _f, resourceVersion: _r, managedFields: _m, ...kept } = metadata
    return { ...others, metadata: kept }
  }
  return semanticEqual(rest(object), rest(old))
}
