/** The text of a policy, checked as upstream's `audit/validation` does. */
import { parse } from 'yaml'
import { invalid, notSupported, required, typeInvalid, type FieldError } from '../../api/values/field-error.ts'
import { FlotillaError, messageOf } from '../../base/errors.ts'
import { LEVELS, STAGES, type GroupResources, type Level, type Policy, type PolicyRule, type Stage } from './policy.ts'

const API_VERSION = 'audit.k8s.io/v1'
const KIND = 'Policy'
const DOCUMENT_FIELDS = ['apiVersion', 'kind', 'metadata', 'rules', 'omitStages', 'omitManagedFields']
const RULE_FIELDS = [
  ...['level', 'users', 'userGroups', 'verbs', 'resources', 'namespaces', 'nonResourceURLs', 'omitStages', 'omitManagedFields'],
]
const GROUP_FIELDS = ['group', 'resources', 'resourceNames']
/** A DNS subdomain of at least one label; the core group is "". */
const GROUP_NAME = /^[a-z0-9]([-a-z0-9]*[a-z0-9])?(\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*$/

/** `file` names it in the error. Throws FlotillaError `INVALID_INPUT` that says all that is wrong. */
export function parsePolicy(text: string, file: string): Policy {
  let document: unknown
  try {
    document = parse(text)
  } catch (error) {
    throw refused(file, `It is not YAML: ${messageOf(error).trim()}`)
  }
  const reader = new Reader()
  const policy = reader.policy(document)
  if (reader.errors.length > 0) throw refused(file, reader.errors.map(({ field, message }) => `${field}: ${message}`).join('; '))
  return policy
}

function refused(file: string, why: string): FlotillaError {
  return new FlotillaError('INVALID_INPUT', {
    what: `The audit policy ${file} cannot be used.`,
    why: /[.!?]$/.test(why) ? why : `${why}.`,
    next: 'Correct the file, or start without it.',
  })
}

type Fields = Readonly<Record<string, unknown>>

class Reader {
  readonly errors: FieldError[] = []

  policy(document: unknown): Policy {
    const root = this.#fields(document, '', DOCUMENT_FIELDS)
    if (root['apiVersion'] !== API_VERSION) this.errors.push(notSupported('apiVersion', root['apiVersion'] ?? '', [API_VERSION]))
    if (root['kind'] !== KIND) this.errors.push(notSupported('kind', root['kind'] ?? '', [KIND]))
    const rules = this.#list(root['rules'], 'rules').map((rule, i) => this.#rule(rule, `rules[${i}]`))
    if (rules.length === 0 && this.errors.length === 0) this.errors.push(required('rules', 'a policy needs at least one rule'))
    const omitStages = this.#stages(root['omitStages'], 'omitStages')
    return { rules, omitStages, omitManagedFields: this.#flag(root['omitManagedFields'], 'omitManagedFields') ?? false }
  }

  #rule(value: unknown, at: string): PolicyRule {
    const given = this.#fields(value, at, RULE_FIELDS)
    const texts = (name: string) => this.#texts(given[name], `${at}.${name}`)
    const rule: PolicyRule = {
      level: this.#level(given['level'], `${at}.level`),
      users: texts('users'),
      userGroups: texts('userGroups'),
      verbs: texts('verbs'),
      resources: this.#list(given['resources'], `${at}.resources`).map((one, i) => this.#group(one, `${at}.resources[${i}]`)),
      namespaces: texts('namespaces'),
      nonResourceURLs: texts('nonResourceURLs'),
      omitStages: this.#stages(given['omitStages'], `${at}.omitStages`),
      omitManagedFields: this.#flag(given['omitManagedFields'], `${at}.omitManagedFields`),
    }
    this.#urls(rule, at)
    return rule
  }

  #urls({ nonResourceURLs, resources, namespaces }: PolicyRule, at: string): void {
    const field = `${at}.nonResourceURLs`
    if (nonResourceURLs.length > 0 && (resources.length > 0 || namespaces.length > 0)) {
      this.errors.push(invalid(field, nonResourceURLs, 'rules cannot apply to both regular resources and non-resource URLs'))
    }
    nonResourceURLs.forEach((url, i) => {
      if (url === '*') return
      if (!url.startsWith('/')) this.errors.push(invalid(`${field}[${i}]`, url, 'non-resource URL rules must begin with a / character'))
      if (url.slice(0, -1).includes('*')) {
        this.errors.push(invalid(`${field}[${i}]`, url, 'non-resource URL wildcards * must be the final character of the rule'))
      }
    })
  }

  #group(value: unknown, at: string): GroupResources {
    const given = this.#fields(value, at, GROUP_FIELDS)
    const group = given['group'] ?? ''
    if (typeof group !== 'string') this.errors.push(typeInvalid(`${at}.group`, group, 'must be a string'))
    else if (group !== '' && !GROUP_NAME.test(group)) {
      this.errors.push(invalid(`${at}.group`, group, 'must be the name of an API group, without a version'))
    }
    const resources = this.#texts(given['resources'], `${at}.resources`)
    const resourceNames = this.#texts(given['resourceNames'], `${at}.resourceNames`)
    if (resourceNames.length > 0 && resources.length === 0) {
      this.errors.push(invalid(`${at}.resourceNames`, resourceNames, 'using resourceNames requires at least one resource'))
    }
    return { group: typeof group === 'string' ? group : '', resources, resourceNames }
  }

  #level(value: unknown, at: string): Level {
    const known = LEVELS.find((level) => level === value)
    if (known) return known
    this.errors.push(value === undefined || value === '' ? required(at) : notSupported(at, value, LEVELS))
    return 'None'
  }

  #stages(value: unknown, at: string): Stage[] {
    return this.#list(value, at).flatMap((one, i) => {
      const known = STAGES.find((stage) => stage === one)
      if (!known) this.errors.push(notSupported(`${at}[${i}]`, one, STAGES))
      return known ? [known] : []
    })
  }

  #flag(value: unknown, at: string): boolean | null {
    if (value === undefined || value === null) return null
    if (typeof value === 'boolean') return value
    this.errors.push(typeInvalid(at, value, 'must be true or false'))
    return null
  }

  #texts(value: unknown, at: string): string[] {
    return this.#list(value, at).flatMap((one, i) => {
      if (typeof one === 'string') return [one]
      this.errors.push(typeInvalid(`${at}[${i}]`, one, 'must be a string'))
      return []
    })
  }

  #list(value: unknown, at: string): readonly unknown[] {
    if (value === undefined || value === null) return []
    if (Array.isArray(value)) return value as unknown[]
    this.errors.push(typeInvalid(at, value, 'must be a list'))
    return []
  }

  #fields(value: unknown, at: string, known: readonly string[]): Fields {
    if (typeof value !== 'object' || value === null || Array.isArray(value)) {
      this.errors.push(typeInvalid(at || 'the document', value ?? null, 'must hold fields and values'))
      return {}
    }
    for (const name of Object.keys(value)) {
      if (!known.includes(name)) this.errors.push(invalid(at ? `${at}.${name}` : name, name, 'there is no field of this name'))
    }
    return value as Fields
  }
}
