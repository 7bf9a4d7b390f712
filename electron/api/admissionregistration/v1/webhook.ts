/** What both kinds of webhooks have in common. Source: kubernetes `apis/admissionregistration` defaults and validation. */
import { validateLabelSelector } from '../../meta/v1/label-selector.ts'
import { duplicate, invalid, invalidEach, notSupported, required, type FieldError } from '../../values/field-error.ts'
import { dns1035Label, dns1123Subdomain } from '../../values/names.ts'
import { defaultClientConfig, validateClientConfig } from './client-config.ts'
import { validateMatchConditions } from './conditions.ts'
import { defaultRules, defaultSelecting, validateFailurePolicy, validateMatchPolicy, validateRule } from './rules.ts'
import type { ValidatingWebhook } from './types.gen.ts'

const TIMEOUT_SECONDS = 10
const SIDE_EFFECTS = ['None', 'NoneOnDryRun']
/** In the order of the reviewer's preference. */
export const REVIEW_VERSIONS = ['v1', 'v1beta1']

export function defaultWebhook(hook: ValidatingWebhook): void {
  hook.failurePolicy ??= 'Fail'
  hook.timeoutSeconds ??= TIMEOUT_SECONDS
  defaultSelecting(hook)
  defaultRules(hook.rules)
  defaultClientConfig(hook.clientConfig)
}

export function validateWebhooks<W extends ValidatingWebhook>(
  hooks: readonly W[] | undefined,
  more: (hook: W, field: string) => FieldError[] = () => [],
): FieldError[] {
  const names = new Set<string>()
  return (hooks ?? []).flatMap((hook, i) => {
    const field = `webhooks[${i}]`
    const again = hook.name !== '' && names.has(hook.name) ? [duplicate(`${field}.name`, hook.name)] : []
    names.add(hook.name)
    return [...validateWebhook(hook, field), ...more(hook, field), ...again]
  })
}

function validateWebhook(hook: ValidatingWebhook, field: string): FieldError[] {
  const { name, rules = [], failurePolicy, matchPolicy, sideEffects, timeoutSeconds = TIMEOUT_SECONDS } = hook
  return [
    ...fullyQualifiedName(name, `${field}.name`),
    ...rules.flatMap((rule, i) => validateRule(rule, `${field}.rules[${i}]`)),
    ...validateFailurePolicy(failurePolicy, `${field}.failurePolicy`),
    ...validateMatchPolicy(matchPolicy, `${field}.matchPolicy`),
    ...validateSideEffects(sideEffects, `${field}.sideEffects`),
    ...(timeoutSeconds < 1 || timeoutSeconds > 30
      ? [invalid(`${field}.timeoutSeconds`, timeoutSeconds, 'the timeout value must be between 1 and 30 seconds')]
      : []),
    ...validateLabelSelector(hook.namespaceSelector, `${field}.namespaceSelector`),
    ...validateLabelSelector(hook.objectSelector, `${field}.objectSelector`),
    ...validateClientConfig(hook.clientConfig, `${field}.clientConfig`),
    ...validateMatchConditions(hook.matchConditions, `${field}.matchConditions`),
    ...validateReviewVersions(hook.admissionReviewVersions ?? [], `${field}.admissionReviewVersions`),
  ]
}

function fullyQualifiedName(name: string, field: string): FieldError[] {
  if (name === '') return [required(field)]
  const wrong = dns1123Subdomain(name)
  if (wrong.length) return invalidEach(field, name, wrong)
  return name.split('.').length < 3 ? [invalid(field, name, 'should be a domain with at least three segments separated by dots')] : []
}

function validateSideEffects(sideEffects: string | undefined, field: string): FieldError[] {
  if (!sideEffects) return [required(field, `must specify one of ${SIDE_EFFECTS.join(', ')}`)]
  return SIDE_EFFECTS.includes(sideEffects) ? [] : [notSupported(field, sideEffects, SIDE_EFFECTS)]
}

function validateReviewVersions(versions: readonly string[], field: string): FieldError[] {
  const known = REVIEW_VERSIONS.join(', ')
  if (versions.length === 0) return [required(field, `must specify one of ${known}`)]
  const out = versions.flatMap((version, i) => {
    if (versions.indexOf(version) < i) return [invalid(`${field}[${i}]`, version, 'duplicate version')]
    return invalidEach(`${field}[${i}]`, version, dns1035Label(version))
  })
  const accepted = versions.some((version) => REVIEW_VERSIONS.includes(version))
  return accepted ? out : [...out, invalid(field, versions, `must include at least one of ${known}`)]
}
