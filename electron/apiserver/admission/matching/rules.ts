/** Whether a request is one of those that rules name. Source: apiserver `admission/plugin/webhook/predicates/rules`. */
import type { NamedRuleWithOperations } from '../../../api/admissionregistration/v1/types.gen.ts'
import type { AnyKind } from '../../../api/kind.ts'
import type { AdmissionRequest } from '../../types.ts'

/** `kind` is the request's own, or an equivalent one. */
export function matchesRule(rule: NamedRuleWithOperations, request: AdmissionRequest, kind: AnyKind): boolean {
  return (
    inScope(rule.scope ?? '*', request) &&
    has(rule.operations, request.operation) &&
    has(rule.apiGroups, kind.group) &&
    has(rule.apiVersions, kind.version) &&
    (rule.resources ?? []).some((text) => matchesResource(text, kind.resource, request.subresource)) &&
    (!rule.resourceNames?.length || rule.resourceNames.includes(request.name))
  )
}

/** The server's own upkeep: without it the server would not start, and no mistake could be put right. */
const SERVER = 'system:apiserver'

/** What admission is configured with is admitted without it, so that a mistake can be put right; and so is what the server itself needs. */
export function isExempt({ kind, user }: AdmissionRequest): boolean {
  return kind.group === 'admissionregistration.k8s.io' || user.name === SERVER
}

export function isNamespace({ kind }: AdmissionRequest): boolean {
  return kind.group === '' && kind.resource === 'namespaces'
}

/** A namespace's requests count as its own. */
export function namespaceOf(request: AdmissionRequest): string {
  return isNamespace(request) ? request.name : request.namespace
}

function inScope(scope: string, request: AdmissionRequest): boolean {
  if (scope === '*') return true
  const namespaced = !isNamespace(request) && request.namespace !== ''
  return scope === 'Namespaced' ? namespaced : scope === 'Cluster' && !namespaced
}

function has(wanted: readonly string[] | undefined, value: string): boolean {
  return wanted?.some((one) => one === '*' || one === value) ?? false
}

function matchesResource(text: string, resource: string, subresource: string): boolean {
  const slash = text.indexOf('/')
  const [wanted, part] = slash < 0 ? [text, ''] : [text.slice(0, slash), text.slice(slash + 1)]
  return (wanted === '*' || wanted === resource) && (part === '*' || part === subresource)
}
