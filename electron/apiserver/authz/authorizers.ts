import { failure, forbidden, type StatusError } from '../../machinery/status.ts'
import type { Attributes, Authorizer, Decision } from '../types.ts'

const NO: Decision = { allowed: false, reason: '' }
const HEALTH = ['/healthz', '/livez', '/readyz']

export const MASTERS = 'system:masters'

/** Members of system:masters may do everything, whatever the policy says. */
export const mastersAuthorizer: Authorizer = async ({ user }) =>
  user.groups.includes(MASTERS) ? { allowed: true, reason: `the user is in the group ${MASTERS}` } : NO

/** Anyone may ask whether the server is well, also while the policy is not read yet. */
export const healthAuthorizer: Authorizer = async ({ resource, path }) =>
  !resource && HEALTH.some((known) => path === known || path.startsWith(`${known}/`)) ? { allowed: true, reason: '' } : NO

/** Asked in turn until one allows or denies; otherwise the reasons, and the errors, of all that gave one. */
export function unionAuthorizer(authorizers: readonly Authorizer[]): Authorizer {
  return async (attributes) => {
    const reasons: string[] = []
    const errors: string[] = []
    let denied = false
    for (const authorize of authorizers) {
      const decision = await authorize(attributes)
      if (decision.allowed) return decision
      if (decision.reason) reasons.push(decision.reason)
      if (decision.error) errors.push(decision.error)
      if ((denied = decision.denied === true)) break
    }
    const because = { allowed: false, reason: reasons.join('\n'), ...(errors.length > 0 ? { error: errors.join('; ') } : {}) }
    return denied ? { ...because, denied } : because
  }
}

/** The 403 that a refused request is answered with, in upstream's words. */
export function forbiddenError(attributes: Attributes, decision: Decision): StatusError {
  const { resource, user, verb, path } = attributes
  const because = decision.reason ? `: ${decision.reason}` : ''
  if (!resource) {
    const message = `forbidden: User ${JSON.stringify(user.name)} cannot ${verb} path ${JSON.stringify(path)}${because}`
    return failure(403, 'Forbidden', message, {})
  }
  const full = resource.subresource ? `${resource.resource}/${resource.subresource}` : resource.resource
  const scope = resource.namespace ? `in the namespace ${JSON.stringify(resource.namespace)}` : 'at the cluster scope'
  const why = `User ${JSON.stringify(user.name)} cannot ${verb} resource ${JSON.stringify(full)} in API group ${JSON.stringify(resource.group)} ${scope}`
  return forbidden({ group: resource.group, resource: resource.resource }, resource.name, `${why}${because}`)
}
