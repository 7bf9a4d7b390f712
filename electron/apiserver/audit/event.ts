/** Events of the audit log as JSON. Source: audit.k8s.io/v1 Event; fields stand in its order. */
import { formatMicroTime } from '../../api/values/time.ts'
import type { RequestInfo } from '../request-info.ts'
import type { UserInfo } from '../types.ts'
import type { Level, Stage } from './policy.ts'

export interface ObjectReference {
  resource?: string
  namespace?: string
  name?: string
  uid?: string
  apiGroup?: string
  apiVersion?: string
  resourceVersion?: string
  subresource?: string
}

/** A Status, as far as it is shown. */
export interface ResponseStatus {
  readonly status?: string
  readonly message?: string
  readonly reason?: string
  readonly details?: object
  readonly code: number
}

/** What is known of a request so far. Times are in milliseconds since the epoch; objects are JSON text. */
export interface EventFacts {
  readonly level: Level
  readonly auditId: string
  readonly requestUri: string
  readonly verb: string
  /** Null where nobody could be authenticated. */
  readonly user: UserInfo | null
  readonly sourceIps: readonly string[]
  readonly userAgent: string
  readonly received: number
  readonly impersonated: UserInfo | null
  readonly object: ObjectReference | null
  readonly status: ResponseStatus | null
  readonly requestObject: string | null
  readonly responseObject: string | null
  readonly annotations: ReadonlyMap<string, string>
}

/** One line, without its end. */
export function eventText(facts: EventFacts, stage: Stage, now: number): string {
  const { user, impersonated, sourceIps, userAgent, object, status, requestObject, responseObject, annotations } = facts
  const parts = ['{"kind":"Event","apiVersion":"audit.k8s.io/v1"']
  const add = (name: string, value: unknown) => parts.push(`"${name}":${JSON.stringify(value)}`)
  add('level', facts.level)
  add('auditID', facts.auditId)
  add('stage', stage)
  add('requestURI', facts.requestUri)
  add('verb', facts.verb)
  add('user', user ? shownUser(user) : {})
  if (impersonated) add('impersonatedUser', shownUser(impersonated))
  if (sourceIps.length > 0) add('sourceIPs', sourceIps)
  if (userAgent) add('userAgent', userAgent)
  if (object) add('objectRef', shownReference(object))
  if (status) add('responseStatus', shownStatus(status))
  if (requestObject !== null) parts.push(`"requestObject":${requestObject}`)
  if (responseObject !== null) parts.push(`"responseObject":${responseObject}`)
  add('requestReceivedTimestamp', formatMicroTime(facts.received))
  add('stageTimestamp', formatMicroTime(now))
  if (annotations.size > 0) add('annotations', Object.fromEntries([...annotations].toSorted(([a], [b]) => (a < b ? -1 : 1))))
  return `${parts.join(',')}}`
}

/** Null for what is not for a resource. */
export function referenceOf(info: RequestInfo): ObjectReference | null {
  if (!info.isResource) return null
  const { resource, namespace, name, group, version, subresource } = info
  return { resource, namespace, name, apiGroup: group, apiVersion: version, subresource }
}

function shownReference(object: ObjectReference): ObjectReference {
  const { resource, namespace, name, uid, apiGroup, apiVersion, resourceVersion, subresource } = object
  const all = { resource, namespace, name, uid, apiGroup, apiVersion, resourceVersion, subresource }
  return Object.fromEntries(Object.entries(all).filter(([, value]) => value))
}

function shownStatus({ status, message, reason, details, code }: ResponseStatus): object {
  return {
    metadata: {},
    ...(status ? { status } : {}),
    ...(message ? { message } : {}),
    ...(reason ? { reason } : {}),
    ...(details ? { details } : {}),
    code,
  }
}

function shownUser({ name, uid, groups, extra }: UserInfo): object {
  return { username: name, ...(uid ? { uid } : {}), ...(groups.length > 0 ? { groups } : {}), ...(extra ? { extra } : {}) }
}
