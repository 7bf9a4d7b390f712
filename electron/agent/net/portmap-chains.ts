/**
 * What the CNI plugin portmap leaves in iptables' own tables. It removes the chains of a pod with the pod, and never those that lead
 * to them; other users of the plugin share these.
 */
import { cidrContains, parseCidr, parseIp } from '../../api/values/ip.ts'
import { CommandError, type Commands } from './commands.ts'

interface ListedRule {
  readonly text: string
  readonly handle: string
}

type Listed = ReadonlyMap<string, readonly ListedRule[]>

const SHARED = ['CNI-HOSTPORT-DNAT', 'CNI-HOSTPORT-MASQ', 'CNI-HOSTPORT-SETMARK']

/** Takes away the chains of pods with addresses of the cluster, then the shared ones if nobody uses them any more. */
export async function removePortmapChains(commands: Commands, clusterCIDR: string): Promise<void> {
  for (const family of ['ip', 'ip6']) {
    const chains = await readChains(commands, family)
    if (!chains) continue
    const lines = removals(family, chains, clusterCIDR)
    if (lines.length) await commands.run('nft', ['-f', '-'], `${lines.join('\n')}\n`)
  }
}

/** Commands of nft for what should go. */
export function removals(family: string, chains: Listed, clusterCIDR: string): string[] {
  const ours = [...chains].filter(([name, rules]) => name.startsWith('CNI-DN-') && rules.some((rule) => leadsInto(rule, clusterCIDR)))
  const gone = new Set(ours.map(([name]) => name))
  const users = (chains.get('CNI-HOSTPORT-DNAT') ?? []).filter(({ text }) => !jumpsTo(text, gone))
  if (users.length === 0) for (const name of SHARED) if (chains.has(name)) gone.add(name)
  const stays = [...chains].filter(([name]) => !gone.has(name))
  const jumps = stays.flatMap(([chain, rules]) => rules.filter(({ text }) => jumpsTo(text, gone)).map(({ handle }) => ({ chain, handle })))
  // Without rules and chains of others it is as if it had never been; iptables makes it again when it needs it.
  const unused = stays.every(([name, rules]) => /^[A-Z]+$/.test(name) && rules.every(({ text }) => jumpsTo(text, gone)))
  if (unused && (gone.size > 0 || chains.size === 0)) return [`delete table ${family} nat`]
  return [
    ...jumps.map(({ chain, handle }) => `delete rule ${family} nat ${chain} handle ${handle}`),
    ...[...gone].map((name) => `flush chain ${family} nat ${name}`),
    ...[...gone].map((name) => `delete chain ${family} nat ${name}`),
  ]
}

function leadsInto({ text }: ListedRule, cidr: string): boolean {
  const to = parseIp(/\bdnat to ([\d.]+)/.exec(text)?.[1] ?? '')
  const network = parseCidr(cidr)
  return to !== null && network !== null && cidrContains(network, to)
}

function jumpsTo(text: string, chains: ReadonlySet<string>): boolean {
  const target = /\b(?:jump|goto) (\S+)/.exec(text)?.[1]
  return target !== undefined && chains.has(target)
}

/** In words rather than JSON, in which nft does not say where iptables' rules lead. Null if there is no such table. */
async function readChains(commands: Commands, family: string): Promise<Listed | null> {
  try {
    return parseChains(await commands.run('nft', ['-a', 'list', 'table', family, 'nat']))
  } catch (error) {
    if (error instanceof CommandError) return null
    throw error
  }
}

export function parseChains(text: string): Listed {
  const chains = new Map<string, ListedRule[]>()
  let rules: ListedRule[] | null = null
  for (const line of text.split('\n')) {
    const chain = /^\s*chain (\S+) \{/.exec(line)?.[1]
    if (chain !== undefined) chains.set(chain, (rules = []))
    else if (/^\s*\}/.test(line)) rules = null
    else {
      const [, rule, handle] = /^\s*(.*\S) # handle (\d+)$/.exec(line) ?? []
      if (rule !== undefined && handle !== undefined) rules?.push({ text: rule, handle })
    }
  }
  return chains
}
