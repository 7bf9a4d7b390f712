/** The rules of random clusters in the kernel's own tables: what changes make of them, and what a full write does. */
import { afterAll, beforeAll, expect, it } from 'vitest'
import { seededRandom, type Random } from '../../electron/base/random.ts'
import { diffRulesets } from '../../electron/agent/net/nft/diff.ts'
import { renderAnew } from '../../electron/agent/net/nft/render.ts'
import type { Ruleset } from '../../electron/agent/net/nft/ruleset.ts'
import { systemCommands } from '../../electron/agent/net/commands.ts'
import { randomServices } from '../../electron/agent/net/testing/net-objects.ts'
import { proxyRules } from '../../electron/agent/proxy/proxy-rules.ts'
import { servicePorts } from '../../electron/agent/proxy/service-ports.ts'
import { serviceShare } from '../../electron/agent/proxy/service-rules.ts'
import { layWire, type Namespace, type Wire } from './namespaces.ts'

const STEPS = 25
const CLUSTER = { clusterCIDR: '10.244.0.0/16', serviceCIDR: '10.96.0.0/16', ownAddresses: ['10.96.0.1', '10.96.0.10'] }

let wire: Wire
let changed: Namespace
let whole: Namespace

beforeAll(async () => {
  wire = await layWire()
  changed = await wire.empty('changed')
  whole = await wire.empty('whole')
})
afterAll(() => wire?.[Symbol.asyncDispose]())

function rulesOf(random: Random): Ruleset {
  const context = { clusterCIDR: CLUSTER.clusterCIDR, reserved: new Set(CLUSTER.ownAddresses) }
  const shares = randomServices(random, 12).map(({ service, slice }) =>
    serviceShare(service, servicePorts(service, [slice], { node: 'node-1', zone: null }), context),
  )
  return proxyRules(shares, CLUSTER).rules
}

const apply = ({ id }: Namespace, commands: readonly string[]) =>
  systemCommands.run('nsenter', [`--net=/run/netns/${id}`, 'nft', '-f', '-'], `${commands.join('\n')}\n`)

/** The table without handles and without regard to the order in which chains, sets and elements came; rules stay in theirs. */
async function content(of: Namespace): Promise<string[]> {
  const listed = JSON.parse(await of.run('nft', '-s', '-j', 'list', 'table', 'ip', 'flotilla')) as { nftables: Record<string, Entry>[] }
  const places = new Map<string, number>()
  return listed.nftables
    .flatMap((entry) =>
      Object.entries(entry).map(([kind, { handle: _handle, elem, ...rest }]) => {
        const place = kind === 'rule' ? (places.get(rest.chain ?? '') ?? 0) : 0
        if (kind === 'rule') places.set(rest.chain ?? '', place + 1)
        const elements = elem?.map((one) => JSON.stringify(one)).toSorted()
        return JSON.stringify([kind, rest.chain, place, rest, elements])
      }),
    )
    .toSorted()
}

interface Entry {
  handle?: number
  chain?: string
  elem?: unknown[]
}

it('changes make the table that a full write makes', async () => {
  const random = seededRandom(20_261)
  let present = rulesOf(random)
  await apply(changed, renderAnew(present))
  for (let step = 0; step < STEPS; step++) {
    const next = rulesOf(random)
    const change = diffRulesets(present, next)
    if (change === null) throw new Error('no hook or type of a set differs between clusters')
    await apply(changed, change)
    await apply(whole, renderAnew(next))
    expect(await content(changed), `step ${step}`).toEqual(await content(whole))
    present = next
  }
})
