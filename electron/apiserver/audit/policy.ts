/** Which requests are noted, and how much of each: audit.k8s.io/v1 Policy. Source: apiserver `apis/audit/v1`, `audit/policy`. */
import type { RequestInfo } from '../request-info.ts'
import type { UserInfo } from '../types.ts'

/** Each notes what the one before does, and more. */
export const LEVELS = ['None', 'Metadata', 'Request', 'RequestResponse'] as const
export type Level = (typeof LEVELS)[number]

/**
 * RequestReceived: before anything is done. ResponseStarted: of requests without an end of their own, once their answer begins.
 * ResponseComplete: nothing more will be sent. Panic: the server broke.
 */
export const STAGES = ['RequestReceived', 'ResponseStarted', 'ResponseComplete', 'Panic'] as const
export type Stage = (typeof STAGES)[number]

export interface Policy {
  readonly rules: readonly PolicyRule[]
  readonly omitStages: readonly Stage[]
  readonly omitManagedFields: boolean
}

/** What is empty holds for all. */
export interface PolicyRule {
  readonly level: Level
  readonly users: readonly string[]
  readonly userGroups: readonly string[]
  readonly verbs: readonly string[]
  readonly resources: readonly GroupResources[]
  /** "" stands for what is in none. */
  readonly namespaces: readonly string[]
  readonly nonResourceURLs: readonly string[]
  readonly omitStages: readonly Stage[]
  /** Null: as the policy says. */
  readonly omitManagedFields: boolean | null
}

export interface GroupResources {
  readonly group: string
  /** "pods", "pods/log"; "*" stands for all, and before or after the slash for every one there. */
  readonly resources: readonly string[]
  readonly resourceNames: readonly string[]
}

/** What the policy says of one request. */
export interface Judgement {
  readonly level: Exclude<Level, 'None'>
  readonly omitStages: ReadonlySet<Stage>
  readonly omitManagedFields: boolean
}

/** The first rule that fits decides; null: the request is not noted. `user` is null where nobody could be authenticated. */
export class PolicyRules {
  readonly #rules: readonly { readonly rule: PolicyRule; readonly judgement: Judgement | null }[]

  constructor(policy: Policy) {
    this.#rules = policy.rules.map((rule) => ({ rule, judgement: judgementOf(policy, rule) }))
  }

  judge(user: UserInfo | null, info: RequestInfo): Judgement | null {
    for (const { rule, judgement } of this.#rules) if (fits(rule, user, info)) return judgement
    return null
  }
}

function judgementOf(policy: Policy, { level, omitStages, omitManagedFields }: PolicyRule): Judgement | null {
  if (level === 'None') return null
  return {
    level,
    omitStages: new Set([...policy.omitStages, ...omitStages]),
    omitManagedFields: omitManagedFields ?? policy.omitManagedFields,
  }
}

function fits(rule: PolicyRule, user: UserInfo | null, info: RequestInfo): boolean {
  const { users, userGroups, verbs, resources, namespaces, nonResourceURLs } = rule
  if (users.length > 0 && !(user && users.includes(user.name))) return false
  if (userGroups.length > 0 && !user?.groups.some((group) => userGroups.includes(group))) return false
  if (verbs.length > 0 && !verbs.includes(info.verb)) return false
  if (namespaces.length > 0 || resources.length > 0) return fitsResource(rule, info)
  if (nonResourceURLs.length > 0) return !info.isResource && nonResourceURLs.some((url) => fitsPath(url, info.path))
  return true
}

function fitsResource({ namespaces, resources }: PolicyRule, info: RequestInfo): boolean {
  if (!info.isResource) return false
  if (namespaces.length > 0 && !namespaces.includes(info.namespace)) return false
  if (resources.length === 0) return true
  return resources.some((wanted) => {
    if (wanted.group !== info.group) return false
    if (wanted.resources.length === 0) return true
    if (wanted.resourceNames.length > 0 && !wanted.resourceNames.includes(info.name)) return false
    return wanted.resources.some((pattern) => fitsName(pattern, info))
  })
}

/** A resource alone does not stand for its subresources. */
function fitsName(pattern: string, { resource, subresource }: RequestInfo): boolean {
  if (pattern === '*') return true
  if (pattern === (subresource ? `${resource}/${subresource}` : resource)) return true
  if (subresource && pattern === `*/${subresource}`) return true
  return pattern === `${resource}/*`
}

function fitsPath(pattern: string, path: string): boolean {
  if (pattern === '*' || pattern === path) return true
  return pattern.endsWith('*') && path.startsWith(pattern.slice(0, -1))
}
