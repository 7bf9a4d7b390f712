/** A pod's /etc/hosts. Source: kubernetes `kubelet_pods.go`. */
import type { HostAlias, Pod } from '../../../api/core/v1/types.gen.ts'

const HEADER = '# Kubernetes-managed hosts file.\n'
const HOST_NETWORK_HEADER = '# Kubernetes-managed hosts file (host network).\n'
const LOCAL = `127.0.0.1\tlocalhost
::1\tlocalhost ip6-localhost ip6-loopback
fe00::0\tip6-localnet
fe00::0\tip6-mcastprefix
fe00::1\tip6-allnodes
fe00::2\tip6-allrouters
`

export interface HostName {
  /** At most 63 characters, as the kernel and DNS take it. */
  readonly hostname: string
  /** Empty without a subdomain. */
  readonly domain: string
}

const MAX_LABEL = 63

/** The pod's own name and, if it has a subdomain, the domain it is found under. */
export function podHostName({ metadata, spec }: Pod, clusterDomain: string): HostName {
  if (spec.hostnameOverride) return { hostname: spec.hostnameOverride, domain: '' }
  const hostname = spec.hostname || metadata.name.slice(0, MAX_LABEL).replace(/[-.]+$/, '')
  const domain = spec.subdomain ? `${spec.subdomain}.${metadata.namespace}.svc.${clusterDomain}` : ''
  return { hostname, domain }
}

/** What the kernel in the pod is told as its name. */
export function kernelHostName(pod: Pod, clusterDomain: string): string {
  const { hostname, domain } = podHostName(pod, clusterDomain)
  if (!pod.spec.setHostnameAsFQDN || !domain) return hostname
  const full = `${hostname}.${domain}`
  if (full.length <= MAX_LABEL + 1) return full
  throw new Error(
    `failed to construct FQDN from pod hostname and cluster domain, FQDN ${full} is too long (64 characters is the max, ${full.length} characters requested)`,
  )
}

/** For pods with a network of their own. */
export function podHostsFile(ips: readonly string[], { hostname, domain }: HostName, aliases: readonly HostAlias[] = []): string {
  const names = domain ? `${hostname}.${domain}\t${hostname}` : hostname
  return `${HEADER}${LOCAL}${ips.map((ip) => `${ip}\t${names}\n`).join('')}${aliasLines(aliases)}`
}

/** For pods on the node's network: the node's own file, and the aliases. */
export function nodeHostsFile(nodeFile: string, aliases: readonly HostAlias[] = []): string {
  return `${HOST_NETWORK_HEADER}${nodeFile}${aliasLines(aliases)}`
}

function aliasLines(aliases: readonly HostAlias[]): string {
  if (!aliases.length) return ''
  const lines = aliases.map(({ ip, hostnames }) => `${ip}\t${(hostnames ?? []).join('\t')}\n`)
  return `\n# Entries added by HostAliases.\n${lines.join('')}`
}
