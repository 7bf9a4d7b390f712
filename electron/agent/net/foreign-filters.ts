/**
 * Other firewalls of the machine. What one accepts the next may still drop (nft(8), "base chains"), so where a chain of somebody else
 * drops what it does not know, as Docker's and ufw's do, pods' packets are let through at its head.
 */
import { CommandError, type Commands } from './commands.ts'
import { VXLAN_PORT } from './links/changes.ts'
import { BRIDGE, VXLAN } from './links/observed.ts'

/** For people who list others' chains. */
const COMMENT = 'flotilla'
const OWN_TABLE = 'flotilla'

export interface ForeignChain {
  readonly family: string
  readonly table: string
  readonly chain: string
  readonly hook: 'input' | 'forward'
}

interface Entry {
  chain?: { family: string; table: string; name: string; type?: string; hook?: string; policy?: string }
  rule?: { family: string; table: string; chain: string; handle: number; comment?: string; expr?: unknown[] }
  table?: { family: string; name: string }
}

export interface ForeignFilters {
  /** Base chains that drop by policy what nothing accepts. */
  readonly dropping: readonly ForeignChain[]
  /** firewalld rejects by rules of its own, and takes none from others. */
  readonly firewalld: boolean
}

const OPENINGS: Readonly<Record<ForeignChain['hook'], readonly string[]>> = {
  input: [`iifname "${BRIDGE}"`, `iifname != "${BRIDGE}" udp dport ${VXLAN_PORT}`],
  forward: [`iifname "${BRIDGE}"`, `oifname "${BRIDGE}"`, `iifname "${VXLAN}"`, `oifname "${VXLAN}"`],
}

export async function findForeignFilters(commands: Commands): Promise<ForeignFilters> {
  const entries = await listing(commands, 'list', 'chains')
  const dropping = entries.flatMap(({ chain }): ForeignChain[] => {
    if (!chain || chain.table === OWN_TABLE || chain.type !== 'filter' || chain.policy !== 'drop') return []
    if (!['ip', 'inet'].includes(chain.family) || (chain.hook !== 'input' && chain.hook !== 'forward')) return []
    return [{ family: chain.family, table: chain.table, chain: chain.name, hook: chain.hook }]
  })
  return { dropping, firewalld: entries.some(({ chain }) => chain?.table === 'firewalld') }
}

/** Puts our rules at the head of each chain where they are missing. Returns the chains that took some. */
export async function openForeignFilters(commands: Commands, chains: readonly ForeignChain[]): Promise<ForeignChain[]> {
  const opened: ForeignChain[] = []
  for (const one of chains) {
    const known = (await ownRules(commands, one)).length
    if (known >= OPENINGS[one.hook].length) continue
    const at = `${one.family} ${one.table} ${one.chain}`
    const rules = OPENINGS[one.hook].map((match) => `insert rule ${at} ${match} accept comment "${COMMENT}"\n`)
    await commands.run('nft', ['-f', '-'], [...(await removals(commands, one)), ...rules].join(''))
    opened.push(one)
  }
  return opened
}

/** Takes our rules out of all chains, whatever their policy is now. */
export async function closeForeignFilters(commands: Commands): Promise<void> {
  const entries = await listing(commands, 'list', 'chains')
  for (const { chain } of entries) {
    if (!chain?.hook || chain.table === OWN_TABLE || !['ip', 'inet'].includes(chain.family)) continue
    if (chain.hook !== 'input' && chain.hook !== 'forward') continue
    const one: ForeignChain = { family: chain.family, table: chain.table, chain: chain.name, hook: chain.hook }
    const lines = await removals(commands, one)
    if (lines.length) await commands.run('nft', ['-f', '-'], lines.join(''))
  }
}

async function removals(commands: Commands, one: ForeignChain): Promise<string[]> {
  const handles = await ownRules(commands, one)
  return handles.map((handle) => `delete rule ${one.family} ${one.table} ${one.chain} handle ${handle}\n`)
}

async function ownRules(commands: Commands, { family, table, chain }: ForeignChain): Promise<number[]> {
  const entries = await listing(commands, '-a', 'list', 'chain', family, table, chain)
  return entries.flatMap(({ rule }) => (rule && isOurs(rule) ? [rule.handle] : []))
}

/** All name one of our links: a comment does not come back from iptables-save and iptables-restore. */
function isOurs({ comment, expr = [] }: NonNullable<Entry['rule']>): boolean {
  const text = JSON.stringify(expr)
  return comment === COMMENT || [BRIDGE, VXLAN].some((link) => text.includes(JSON.stringify(link)))
}

async function listing(commands: Commands, ...args: string[]): Promise<Entry[]> {
  try {
    const text = await commands.run('nft', ['-t', '-j', ...args])
    return (JSON.parse(text) as { nftables: Entry[] }).nftables
  } catch (error) {
    // A chain that was taken away meanwhile, or a table whose owner uses what this nft cannot print.
    if (error instanceof CommandError || error instanceof SyntaxError) return []
    throw error
  }
}
