/** How a pod resolves names. Source: kubernetes `kubelet/network/dns`. */
import type { Pod } from '../../../api/core/v1/types.gen.ts'

export interface ResolvConf {
  readonly servers: readonly string[]
  readonly searches: readonly string[]
  readonly options: readonly string[]
}

const MAX_SERVERS = 3
const MAX_SEARCHES = 32
const MAX_SEARCH_LENGTH = 2048
const NDOTS = 'ndots:5'

/** The parts of a resolv.conf(5). */
export function parseResolvConf(text: string): ResolvConf {
  const servers: string[] = []
  let searches: string[] = []
  let options: string[] = []
  for (const line of text.split('\n')) {
    const [word = '', ...rest] = line.trim().split(/\s+/)
    if (word === 'nameserver' && rest[0] !== undefined) servers.push(rest[0])
    if (word === 'search' || word === 'domain') searches = rest.map((name) => (name === '.' ? name : name.replace(/\.$/, '')))
    if (word === 'options') options = rest
  }
  return { servers, searches, options }
}

export interface DnsInput {
  readonly clusterDomain: string
  readonly clusterDns: readonly string[]
  /** The node's own. */
  readonly host: ResolvConf
}

/** What comes out, and what had to be left out of it. */
export interface PodDns {
  readonly config: ResolvConf
  readonly warnings: readonly { readonly reason: 'DNSConfigForming'; readonly message: string }[]
}

export function podDns(pod: Pod, input: DnsInput): PodDns {
  const merged = merge(baseOf(pod, input), pod)
  const warnings: PodDns['warnings'][number][] = []
  const servers = merged.servers.slice(0, MAX_SERVERS)
  if (servers.length < merged.servers.length) {
    const message = `Nameserver limits were exceeded, some nameservers have been omitted, the applied nameserver line is: ${servers.join(' ')}`
    warnings.push({ reason: 'DNSConfigForming', message })
  }
  const searches = limitSearches(merged.searches)
  if (searches.length < merged.searches.length) {
    const message = `Search Line limits were exceeded, some search paths have been omitted, the applied search line is: ${searches.join(' ')}`
    warnings.push({ reason: 'DNSConfigForming', message })
  }
  return { config: { servers, searches, options: merged.options }, warnings }
}

function baseOf(pod: Pod, { clusterDomain, clusterDns, host }: DnsInput): ResolvConf {
  const policy = pod.spec.dnsPolicy ?? 'ClusterFirst'
  if (policy === 'None') return { servers: [], searches: [], options: [] }
  const cluster = policy === 'ClusterFirstWithHostNet' || (policy === 'ClusterFirst' && !pod.spec.hostNetwork)
  if (!cluster) return host
  const own = [`${pod.metadata.namespace}.svc.${clusterDomain}`, `svc.${clusterDomain}`, clusterDomain]
  return { servers: clusterDns, searches: [...new Set([...own, ...host.searches])], options: [NDOTS] }
}

/** `dnsConfig` comes after what the policy gives; its options replace those of the same name. */
function merge(base: ResolvConf, pod: Pod): ResolvConf {
  const { nameservers = [], searches = [], options = [] } = pod.spec.dnsConfig ?? {}
  const byName = new Map(base.options.map((option) => [option.split(':')[0] ?? '', option]))
  for (const { name = '', value } of options) byName.set(name, value === undefined || value === '' ? name : `${name}:${value}`)
  return {
    servers: [...new Set([...base.servers, ...nameservers])],
    searches: [...new Set([...base.searches, ...searches])],
    options: [...byName.values()],
  }
}

function limitSearches(searches: readonly string[]): string[] {
  const out = searches.slice(0, MAX_SEARCHES)
  while (out.join(' ').length > MAX_SEARCH_LENGTH) out.pop()
  return out
}
