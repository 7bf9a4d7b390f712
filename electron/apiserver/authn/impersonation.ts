/** `Impersonate-*` headers: acting as someone else, where allowed; several values are lines. Source: kubernetes "User impersonation". */
import { badRequest } from '../../machinery/status.ts'
import { forbiddenError } from '../authz/authorizers.ts'
import type { ApiRequest, Attributes, Authorizer, UserInfo } from '../types.ts'
import { groupsOf, serviceAccountOf } from './service-account-claims.ts'

const USER = 'impersonate-user'
const GROUP = 'impersonate-group'
const UID = 'impersonate-uid'
const EXTRA = 'impersonate-extra-'

/**
 * The user as whom the request is to be done: the one who asks, unless its headers name another. Throws Status 403 if that is not
 * allowed, 400 if groups, uid or extra are given without a user.
 */
export async function impersonate(user: UserInfo, headers: ApiRequest['headers'], authorize: Authorizer): Promise<UserInfo> {
  const name = headers[USER]
  const groups = listOf(headers[GROUP])
  const uid = headers[UID]
  const extra: Record<string, string[]> = {}
  for (const [header, value] of Object.entries(headers))
    if (header.startsWith(EXTRA)) extra[decoded(header.slice(EXTRA.length))] = listOf(value)
  if (!name) {
    if (groups.length || uid || Object.keys(extra).length)
      throw badRequest('requested impersonation of groups, uid or extra fields without impersonating a user')
    return user
  }

  const account = serviceAccountOf(name)
  const may = async (resource: NonNullable<Attributes['resource']>) => {
    const attributes = { user, verb: 'impersonate', resource, path: '' }
    const decision = await authorize(attributes)
    if (!decision.allowed) throw forbiddenError(attributes, decision)
  }
  const core = { group: '', version: 'v1', subresource: '', namespace: '' }
  const authentication = { ...core, group: 'authentication.k8s.io' }
  if (account) await may({ ...core, resource: 'serviceaccounts', ...account })
  else await may({ ...core, resource: 'users', name })
  for (const group of groups) await may({ ...core, resource: 'groups', name: group })
  if (uid) await may({ ...authentication, resource: 'uids', name: uid })
  for (const [key, values] of Object.entries(extra))
    for (const value of values) await may({ ...authentication, resource: 'userextras', subresource: key, name: value })

  return {
    name,
    groups: completed(name, groups.length || !account ? groups : groupsOf(account.namespace)),
    ...(uid ? { uid } : {}),
    ...(Object.keys(extra).length ? { extra } : {}),
  }
}

/** Everyone is in one of the two groups, named or not. */
function completed(name: string, groups: readonly string[]): string[] {
  if (groups.includes('system:authenticated') || groups.includes('system:unauthenticated')) return [...groups]
  return [...groups, name === 'system:anonymous' ? 'system:unauthenticated' : 'system:authenticated']
}

function listOf(value: string | undefined): string[] {
  return (value ?? '').split('\n').filter(Boolean)
}

function decoded(key: string): string {
  try {
    return decodeURIComponent(key)
  } catch {
    return key
  }
}
