/** What one set of rules allows. Source: kubernetes rbac/v1.PolicyRule and its evaluation helpers. */
import type { PolicyRule } from '../../api/rbac/v1/types.gen.ts'
import type { Attributes } from '../types.ts'

const ALL = '*'

/**
 * Rules arranged for lookups: a request is a handful of probes, however many rules there are. For resources the key is
 * verb, group and resource, where each part may be the wildcard and the resource may be "pods", "pods/log" or the form for a subresource
 * of any resource, "<any>/log".
 */
export class CompiledRules {
  readonly rules: readonly PolicyRule[]
  readonly #any = new Set<string>()
  readonly #named = new Map<string, Set<string>>()
  readonly #paths = new Map<string, { exact: Set<string>; prefixes: string[] }>()

  constructor(rules: readonly PolicyRule[]) {
    this.rules = rules
    for (const rule of rules) {
      for (const verb of rule.verbs) {
        this.#addResources(verb, rule)
        this.#addPaths(verb, rule.nonResourceURLs ?? [])
      }
    }
  }

  allows(probe: Probe): boolean {
    if (probe.keys) {
      for (const key of probe.keys) {
        if (this.#any.has(key)) return true
        if (this.#named.get(key)?.has(probe.name)) return true
      }
      return false
    }
    for (const verb of [probe.verb, ALL]) {
      const paths = this.#paths.get(verb)
      if (!paths) continue
      if (paths.exact.has(probe.path) || paths.prefixes.some((prefix) => probe.path.startsWith(prefix))) return true
    }
    return false
  }

  #addResources(verb: string, rule: PolicyRule): void {
    for (const group of rule.apiGroups ?? []) {
      for (const resource of rule.resources ?? []) {
        const key = keyOf(verb, group, resource)
        if (!rule.resourceNames?.length) {
          this.#any.add(key)
          continue
        }
        let names = this.#named.get(key)
        if (!names) this.#named.set(key, (names = new Set()))
        for (const name of rule.resourceNames) names.add(name)
      }
    }
  }

  #addPaths(verb: string, urls: readonly string[]): void {
    if (!urls.length) return
    let paths = this.#paths.get(verb)
    if (!paths) this.#paths.set(verb, (paths = { exact: new Set(), prefixes: [] }))
    for (const url of urls) {
      if (url.endsWith(ALL)) paths.prefixes.push(url.replace(/\*+$/, ''))
      else paths.exact.add(url)
    }
  }
}

/** A request's keys, made once and tried on many sets of rules. */
export interface Probe {
  /** null for requests that are not for a resource. */
  readonly keys: readonly string[] | null
  readonly name: string
  readonly verb: string
  readonly path: string
}

export function probeOf({ verb, resource, path }: Pick<Attributes, 'verb' | 'resource' | 'path'>): Probe {
  if (!resource) return { keys: null, name: '', verb, path }
  const { group, subresource, name } = resource
  const resources = [subresource ? `${resource.resource}/${subresource}` : resource.resource, ALL]
  if (subresource) resources.push(`${ALL}/${subresource}`)
  const keys: string[] = []
  for (const v of [verb, ALL]) for (const g of [group, ALL]) for (const r of resources) keys.push(keyOf(v, g, r))
  return { keys, name, verb, path }
}

function keyOf(verb: string, group: string, resource: string): string {
  return `${verb}\n${group}\n${resource}`
}
