/**
 * AuthorizationConfiguration (apiserver.config.k8s.io/v1): who is asked whether a request is allowed, in which order. Read strictly, with
 * its expressions compiled. Source: apiserver `apis/apiserver/validation`, KEP-3221.
 */
import { duplicate, forbidden, invalid, notSupported, required, type FieldError } from '../../api/values/field-error.ts'
import { nameIsDnsSubdomain } from '../../api/values/names.ts'
import type { Program } from '../../machinery/cel/program.ts'
import { checkVersion } from '../authn/config/authentication-configuration.ts'
import { Fields } from '../authn/config/fields.ts'
import { compileCondition } from './webhook/match-conditions.ts'

export interface WebhookConfig {
  readonly type: 'Webhook'
  readonly name: string
  /** All in milliseconds; a TTL of 0: nothing is kept. */
  readonly authorizedTtl: number
  readonly unauthorizedTtl: number
  readonly timeout: number
  readonly version: 'v1' | 'v1beta1'
  readonly failurePolicy: 'NoOpinion' | 'Deny'
  readonly kubeConfigFile: string
  readonly conditions: readonly Program[]
}

export type AuthorizerConfig = { readonly type: 'Node' | 'RBAC' } | WebhookConfig

/** What there is without any configuration. */
export const DEFAULT_AUTHORIZERS: readonly AuthorizerConfig[] = [{ type: 'Node' }, { type: 'RBAC' }]
export const AUTHORIZED_TTL = 5 * 60_000
export const UNAUTHORIZED_TTL = 30_000
const MAX_TIMEOUT = 30_000
const TYPES = ['Node', 'RBAC', 'Webhook']
const VERSIONS = ['v1', 'v1beta1'] as const
const POLICIES = ['NoOpinion', 'Deny'] as const
const WEBHOOK = [
  ...['authorizedTTL', 'cacheAuthorizedRequests', 'unauthorizedTTL', 'cacheUnauthorizedRequests', 'timeout', 'failurePolicy'],
  ...['subjectAccessReviewVersion', 'matchConditionSubjectAccessReviewVersion', 'connectionInfo', 'matchConditions'],
]

/** `document`: as YAML or JSON was read. The list is only of use if there are no errors. */
export function authorizationConfiguration(document: unknown): {
  authorizers: readonly AuthorizerConfig[]
  errors: readonly FieldError[]
} {
  const errors: FieldError[] = []
  const top = new Fields(document, '', errors, ['apiVersion', 'kind', 'authorizers'])
  checkVersion(top, 'AuthorizationConfiguration')
  const parts = top.parts('authorizers', ['type', 'name', 'webhook'])
  if (parts.length === 0) errors.push(required('authorizers', 'at least one authorization mode must be defined'))
  const seen = { types: new Set<string>(), names: new Set<string>() }
  return { authorizers: parts.flatMap((part) => authorizerOf(part, seen)), errors }
}

function authorizerOf(fields: Fields, seen: { types: Set<string>; names: Set<string> }): AuthorizerConfig[] {
  const { errors } = fields
  const type = fields.needText('type')
  if (type && !TYPES.includes(type)) errors.push(notSupported(fields.path('type'), type, TYPES))
  if (type !== 'Webhook' && seen.types.has(type)) errors.push(duplicate(fields.path('type'), type))
  seen.types.add(type)
  const name = fields.needText('name')
  if (name && seen.names.has(name)) errors.push(duplicate(fields.path('name'), name))
  seen.names.add(name)
  if (name) for (const why of nameIsDnsSubdomain(name)) errors.push(invalid(fields.path('name'), name, why))
  if (type === 'Webhook') {
    if (!fields.has('webhook')) errors.push(required(fields.path('webhook'), 'required when type=Webhook'))
    return fields.has('webhook') ? [webhookOf(fields.part('webhook', WEBHOOK), name)] : []
  }
  if (fields.has('webhook')) errors.push(invalid(fields.path('webhook'), 'non-null', 'may only be specified when type=Webhook'))
  return type === 'Node' || type === 'RBAC' ? [{ type }] : []
}

function webhookOf(fields: Fields, name: string): WebhookConfig {
  const { errors } = fields
  const ttl = (which: string, caches: string, byDefault: number) => {
    const given = fields.duration(which)
    if (given !== undefined && given <= 0) errors.push(invalid(fields.path(which), `${given}ms`, 'must be > 0s'))
    return fields.flag(caches) === false ? 0 : (given ?? byDefault)
  }
  const timeout = fields.duration('timeout')
  if (timeout === undefined && !fields.has('timeout')) errors.push(required(fields.path('timeout')))
  else if (timeout !== undefined && timeout <= 0) errors.push(invalid(fields.path('timeout'), `${timeout}ms`, 'must be > 0s'))
  else if (timeout !== undefined && timeout > MAX_TIMEOUT) errors.push(invalid(fields.path('timeout'), `${timeout}ms`, 'must be <= 30s'))
  const conditions = fields.parts('matchConditions', ['expression']).flatMap((one) => {
    const source = one.needText('expression')
    if (!source) return []
    const { program, error } = compileCondition(source)
    if (!program) errors.push(invalid(one.path('expression'), source, error))
    return program ?? []
  })
  const conditionVersion = fields.text('matchConditionSubjectAccessReviewVersion')
  if (conditions.length > 0 && !conditionVersion)
    errors.push(required(fields.path('matchConditionSubjectAccessReviewVersion'), 'required if match conditions are specified'))
  if (conditionVersion && conditionVersion !== 'v1')
    errors.push(notSupported(fields.path('matchConditionSubjectAccessReviewVersion'), conditionVersion, ['v1']))
  return {
    type: 'Webhook',
    name,
    authorizedTtl: ttl('authorizedTTL', 'cacheAuthorizedRequests', AUTHORIZED_TTL),
    unauthorizedTtl: ttl('unauthorizedTTL', 'cacheUnauthorizedRequests', UNAUTHORIZED_TTL),
    timeout: timeout ?? MAX_TIMEOUT,
    version: choice(fields, 'subjectAccessReviewVersion', VERSIONS),
    failurePolicy: choice(fields, 'failurePolicy', POLICIES),
    kubeConfigFile: connectionOf(fields.part('connectionInfo', ['type', 'kubeConfigFile'])),
    conditions,
  }
}

function connectionOf(fields: Fields): string {
  const type = fields.needText('type')
  if (type === 'InClusterConfig') {
    fields.errors.push(forbidden(fields.path('type'), 'this server is in no pod; name a kubeconfig file'))
    return ''
  }
  if (type && type !== 'KubeConfigFile') fields.errors.push(notSupported(fields.path('type'), type, ['KubeConfigFile']))
  const file = fields.needText('kubeConfigFile')
  if (file && !file.startsWith('/') && !/^[A-Za-z]:[\\/]/.test(file))
    fields.errors.push(invalid(fields.path('kubeConfigFile'), file, 'must be an absolute path'))
  return file
}

function choice<const T extends string>(fields: Fields, name: string, choices: readonly [T, ...T[]]): T {
  const text = fields.needText(name)
  const found = choices.find((one) => one === text)
  if (text && !found) fields.errors.push(notSupported(fields.path(name), text, choices))
  return found ?? choices[0]
}
