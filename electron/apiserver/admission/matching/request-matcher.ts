/** Which webhooks and policies a request is for. Sources: apiserver `admission/plugin/webhook/generic`, `admission/plugin/policy/matching`. */
import type { NamedRuleWithOperations } from '../../../api/admissionregistration/v1/types.gen.ts'
import type { Namespace } from '../../../api/core/v1/types.gen.ts'
import type { AnyKind } from '../../../api/kind.ts'
import { isEmptySelector, selectorMatches } from '../../../api/meta/v1/label-selector.ts'
import type { LabelSelector } from '../../../api/meta/v1/types.gen.ts'
import { notFound } from '../../../machinery/status.ts'
import type { Lookup } from '../../registry/lookup.ts'
import type { AdmissionRequest } from '../../types.ts'
import type { Equivalents } from './equivalents.ts'
import { isNamespace, matchesRule, namespaceOf } from './rules.ts'

export const NAMESPACES = { group: '', version: 'v1', resource: 'namespaces' }

export interface Criteria {
  readonly rules?: readonly NamedRuleWithOperations[]
  readonly excluded?: readonly NamedRuleWithOperations[]
  readonly matchPolicy?: 'Equivalent' | 'Exact'
  readonly namespaceSelector?: LabelSelector
  readonly objectSelector?: LabelSelector
}

export class RequestMatcher {
  readonly #lookup: Lookup
  readonly #equivalents: Equivalents

  constructor(lookup: Lookup, equivalents: Equivalents) {
    this.#lookup = lookup
    this.#equivalents = equivalents
  }

  /** The kind in whose form the request is to be shown; null if it is not meant. Throws StatusError 404 without its namespace. */
  async match(criteria: Criteria, request: AdmissionRequest): Promise<AnyKind | null> {
    const { matchPolicy, rules = [], excluded = [] } = criteria
    if (this.#kindFor(excluded, matchPolicy, request)) return null
    const kind = this.#kindFor(rules, matchPolicy, request)
    return kind && this.#selectsObject(criteria, request) && (await this.#selectsNamespace(criteria, request)) ? kind : null
  }

  /** Whether selectors and rules that only narrow others let the request through; no rules at all are no limit. */
  async narrows(criteria: Criteria, request: AdmissionRequest): Promise<boolean> {
    const { matchPolicy, rules = [], excluded = [] } = criteria
    if (this.#kindFor(excluded, matchPolicy, request)) return false
    if (rules.length > 0 && !this.#kindFor(rules, matchPolicy, request)) return false
    return this.#selectsObject(criteria, request) && this.#selectsNamespace(criteria, request)
  }

  /** The namespace that the request is in, as it is now; null for what is in none. */
  async namespaceObject(request: AdmissionRequest): Promise<Namespace | null> {
    const name = namespaceOf(request)
    if (isNamespace(request) && request.operation === 'CREATE') return request.object as Namespace
    return name === '' ? null : this.#lookup.get<Namespace>(NAMESPACES, '', name)
  }

  #kindFor(rules: readonly NamedRuleWithOperations[], policy: Criteria['matchPolicy'], request: AdmissionRequest): AnyKind | null {
    if (rules.some((rule) => matchesRule(rule, request, request.kind))) return request.kind
    if (policy === 'Exact' || request.sent) return null
    for (const rule of rules) for (const kind of this.#equivalents.of(request.kind)) if (matchesRule(rule, request, kind)) return kind
    return null
  }

  #selectsObject({ objectSelector }: Criteria, { object, old }: AdmissionRequest): boolean {
    if (isEmptySelector(objectSelector)) return true
    return [object, old].some((one) => one !== null && selectorMatches(objectSelector, one.metadata?.labels ?? {}))
  }

  /** What is in no namespace is never exempt. */
  async #selectsNamespace({ namespaceSelector }: Criteria, request: AdmissionRequest): Promise<boolean> {
    const name = namespaceOf(request)
    if (isEmptySelector(namespaceSelector) || (name === '' && !isNamespace(request))) return true
    return selectorMatches(namespaceSelector, await this.#namespaceLabels(request, name))
  }

  async #namespaceLabels(request: AdmissionRequest, name: string): Promise<Record<string, string>> {
    const written = request.operation === 'CREATE' || request.operation === 'UPDATE'
    if (isNamespace(request) && request.subresource === '' && written) return request.object?.metadata.labels ?? {}
    const namespace = await this.#lookup.get<Namespace>(NAMESPACES, '', name)
    if (!namespace) throw notFound(NAMESPACES, name)
    return namespace.metadata.labels ?? {}
  }
}
