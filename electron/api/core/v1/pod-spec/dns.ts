/** Checks of names: how a pod resolves them, and its own. Source: kubernetes `core/validation`. */
import { forbidden, invalid, invalidEach, notSupported, required, tooLong, type FieldError } from '../../../values/field-error.ts'
import { ipErrors } from '../../../values/ip.ts'
import { dns1123Subdomain, dns1123SubdomainWithUnderscore } from '../../../values/names.ts'
import type { HostAlias, PodDNSConfig, PodSpec } from '../types.gen.ts'

const POLICIES = ['ClusterFirstWithHostNet', 'ClusterFirst', 'Default', 'None']
/** What libc reads. */
const MAX_NAMESERVERS = 3
const MAX_SEARCHES = 32
const MAX_SEARCH_CHARACTERS = 2048
const MAX_HOSTNAME = 64

export function validateDns(spec: PodSpec, field: string): FieldError[] {
  const { dnsPolicy: policy, dnsConfig: config } = spec
  const at = `${field}.dnsConfig`
  const out: FieldError[] = []
  if (!policy) out.push(required(`${field}.dnsPolicy`))
  else if (!POLICIES.includes(policy)) out.push(notSupported(`${field}.dnsPolicy`, policy, POLICIES))
  if (policy === 'None' && !config) return [...out, required(at, 'must provide `dnsConfig` when `dnsPolicy` is None')]
  if (policy === 'None' && !config?.nameservers?.length) {
    return [...out, required(`${at}.nameservers`, 'must provide at least one DNS nameserver when `dnsPolicy` is None')]
  }
  return config ? [...out, ...validateConfig(config, at)] : out
}

function validateConfig({ nameservers = [], searches = [], options = [] }: PodDNSConfig, field: string): FieldError[] {
  const out: FieldError[] = []
  if (nameservers.length > MAX_NAMESERVERS) {
    out.push(invalid(`${field}.nameservers`, nameservers, `must not have more than ${MAX_NAMESERVERS} nameservers`))
  }
  nameservers.forEach((server, i) => out.push(...ipErrors(`${field}.nameservers[${i}]`, server)))
  if (searches.length > MAX_SEARCHES) {
    out.push(invalid(`${field}.searches`, searches, `must not have more than ${MAX_SEARCHES} search paths`))
  }
  if (searches.join(' ').length > MAX_SEARCH_CHARACTERS) {
    const why = `must not have more than ${MAX_SEARCH_CHARACTERS} characters (including spaces) in the search list`
    out.push(invalid(`${field}.searches`, searches, why))
  }
  searches.forEach((search, i) => {
    if (search === '.') return
    const path = search.endsWith('.') ? search.slice(0, -1) : search
    out.push(...invalidEach(`${field}.searches[${i}]`, path, dns1123SubdomainWithUnderscore(path)))
  })
  options.forEach(({ name }, i) => {
    if (!name) out.push(required(`${field}.options[${i}]`, 'must not be empty'))
  })
  return out
}

export function validateHostAliases(aliases: readonly HostAlias[], field: string): FieldError[] {
  return aliases.flatMap(({ ip, hostnames }, i) => [
    ...ipErrors(`${field}[${i}].ip`, ip),
    ...(hostnames ?? []).flatMap((name, j) => invalidEach(`${field}[${i}].hostnames[${j}]`, name, dns1123Subdomain(name))),
  ])
}

/** `hostnameOverride` (KEP-4762). `field` is the path of the spec. */
export function validateHostnameOverride(spec: PodSpec, field: string): FieldError[] {
  const name = spec.hostnameOverride
  if (name === undefined) return []
  const at = `${field}.hostnameOverride`
  const out: FieldError[] = []
  if (spec.setHostnameAsFQDN) out.push(forbidden(at, 'may not be specified when setHostnameAsFQDN is true'))
  if (spec.hostNetwork) out.push(forbidden(at, 'may not be specified when hostNetwork is true'))
  if (name.length > MAX_HOSTNAME) out.push(tooLong(at, MAX_HOSTNAME))
  return [...out, ...invalidEach(at, name, dns1123Subdomain(name))]
}
