/** Which requests a FlowSchema is for. Source: apiserver `util/flowcontrol/rule.go`. */
import type { FlowSchema, NonResourcePolicyRule, ResourcePolicyRule, Subject } from '../../api/flowcontrol/v1/types.gen.ts'
import type { RequestInfo } from '../request-info.ts'
import type { UserInfo } from '../types.ts'

const ALL = '*'
const SERVICE_ACCOUNT = 'system:serviceaccount:'

export function matches({ spec }: FlowSchema, user: UserInfo, info: RequestInfo): boolean {
  return (spec.rules ?? []).some(({ subjects, resourceRules = [], nonResourceRules = [] }) => {
    if (!subjects.some((subject) => isSubject(subject, user))) return false
    if (info.isResource) return resourceRules.some((rule) => fitsResource(rule, info))
    return nonResourceRules.some((rule) => fitsPath(rule, info))
  })
}

/** What makes this request's flow within its schema. */
export function distinguisherOf({ spec }: FlowSchema, user: UserInfo, info: RequestInfo): string {
  switch (spec.distinguisherMethod?.type) {
    case 'ByUser':
      return user.name
    case 'ByNamespace':
      return info.namespace
    default:
      return ''
  }
}

function isSubject({ kind, user: named, group, serviceAccount }: Subject, { name, groups }: UserInfo): boolean {
  switch (kind) {
    case 'User':
      return named?.name === ALL || named?.name === name
    case 'Group':
      return group?.name === ALL || groups.includes(group?.name ?? '')
    case 'ServiceAccount': {
      if (!serviceAccount || !name.startsWith(SERVICE_ACCOUNT)) return false
      const [namespace, own] = name.slice(SERVICE_ACCOUNT.length).split(':')
      return namespace === serviceAccount.namespace && (serviceAccount.name === ALL || serviceAccount.name === own)
    }
    default:
      return false
  }
}

const has = (values: readonly string[] | undefined, wanted: string) => values?.some((value) => value === ALL || value === wanted) ?? false

function fitsResource(rule: ResourcePolicyRule, { verb, group, resource, subresource, namespace }: RequestInfo): boolean {
  if (!has(rule.verbs, verb) || !has(rule.apiGroups, group)) return false
  if (!has(rule.resources, subresource ? `${resource}/${subresource}` : resource)) return false
  return namespace ? has(rule.namespaces, namespace) : rule.clusterScope === true
}

function fitsPath({ verbs, nonResourceURLs }: NonResourcePolicyRule, { verb, path }: RequestInfo): boolean {
  if (!has(verbs, verb)) return false
  return nonResourceURLs.some((url) => url === ALL || url === path || (url.endsWith('/*') && path.startsWith(url.slice(0, -1))))
}
