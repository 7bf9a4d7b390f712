/** The policies that are in force and their bindings, compiled when first needed. */
import type { MatchResources, ParamKind, ParamRef } from '../../../api/admissionregistration/v1/types.gen.ts'
import type { KubeObject } from '../../../api/meta/v1/object.ts'
import type { KindName, Lookup } from '../../registry/lookup.ts'
import type { Criteria } from '../matching/request-matcher.ts'

export interface Policy extends KubeObject {
  readonly spec: {
    readonly failurePolicy?: 'Fail' | 'Ignore'
    readonly matchConstraints?: MatchResources
    readonly paramKind?: ParamKind
  }
}

export interface Binding extends KubeObject {
  readonly spec: { readonly policyName?: string; readonly paramRef?: ParamRef; readonly matchResources?: MatchResources }
}

export interface Bound<P extends Policy, B extends Binding, C> {
  readonly policy: P
  readonly compiled: C
  readonly bindings: readonly B[]
}

export interface PolicyKinds {
  readonly policies: KindName
  readonly bindings: KindName
}

export class PolicySource<P extends Policy, B extends Binding, C> {
  readonly #lookup: Lookup
  readonly #kinds: PolicyKinds
  readonly #compile: (policy: P) => C
  /** A policy is frozen: another version of it is another object. */
  readonly #compiled = new WeakMap<P, C>()

  constructor(lookup: Lookup, kinds: PolicyKinds, compile: (policy: P) => C) {
    this.#lookup = lookup
    this.#kinds = kinds
    this.#compile = compile
  }

  /** Known to be so without waiting. */
  get isEmpty(): boolean {
    return this.#lookup.isEmpty(this.#kinds.policies) || this.#lookup.isEmpty(this.#kinds.bindings)
  }

  /** Those with bindings, by name. */
  async bound(): Promise<Bound<P, B, C>[]> {
    const bindings = Map.groupBy(await this.#lookup.list<B>(this.#kinds.bindings), ({ spec }) => spec.policyName)
    const policies = await this.#lookup.list<P>(this.#kinds.policies)
    return policies.flatMap((policy) => {
      const own = bindings.get(policy.metadata.name)
      if (!own) return []
      let compiled = this.#compiled.get(policy)
      if (!compiled) {
        compiled = this.#compile(policy)
        this.#compiled.set(policy, compiled)
      }
      return { policy, compiled, bindings: own }
    })
  }
}

export function criteriaOf(match: MatchResources | undefined): Criteria {
  const { resourceRules: rules, excludeResourceRules: excluded, matchPolicy, namespaceSelector, objectSelector } = match ?? {}
  return {
    ...(rules ? { rules } : {}),
    ...(excluded ? { excluded } : {}),
    ...(matchPolicy ? { matchPolicy } : {}),
    ...(namespaceSelector ? { namespaceSelector } : {}),
    ...(objectSelector ? { objectSelector } : {}),
  }
}
