import { describe, expect, it } from 'vitest'
import { randomInt, seededRandom } from '../../../base/random.ts'
import type { NodeNet } from '../state/network-objects.ts'
import { nodeOf } from '../testing/net-objects.ts'
import { linkChanges } from './changes.ts'
import { findConflicts } from './conflicts.ts'
import { planLinks, type LinkPlan } from './plan.ts'
import { MachineModel } from './testing/machine-model.ts'

const OWN = nodeOf(1)

function planOf(machine: MachineModel, nodes: readonly NodeNet[], nodeIP = '192.168.1.1') {
  return planLinks({ nodeName: 'node-1', nodeIP, serviceCIDR: '10.96.0.0/16', nodes, observed: machine.observe() })
}

function changesOf(machine: MachineModel, plan: LinkPlan, avoid: readonly string[] = []) {
  return linkChanges(plan, machine.observe(), { avoid: new Set(avoid), filterBridge: true })
}

/** Plans and changes until nothing is left to do. Returns the plan. */
function settle(machine: MachineModel, nodes: readonly NodeNet[]): LinkPlan {
  const { plan } = planOf(machine, nodes)
  if (!plan) throw new Error('this node has a network for pods')
  machine.run(changesOf(machine, plan))
  return plan
}

const machine = (more: { mtu?: number } = {}) => new MachineModel({ address: '192.168.1.1', ...more })

describe('the plan of a node', () => {
  it('is none while the node has no network for pods', () => {
    expect(planOf(machine(), [nodeOf(1, { podCidr: null }), nodeOf(2)]).plan).toBeNull()
    expect(planOf(machine(), []).plan).toBeNull()
  })

  it('has the other nodes that have a network and an address', () => {
    const { plan } = planOf(machine(), [OWN, nodeOf(2), nodeOf(3, { address: null }), nodeOf(4, { podCidr: null })])
    expect([...(plan?.peers.values() ?? [])]).toEqual([
      { name: 'node-2', podCidr: '10.244.2.0/24', address: '10.244.2.0', mac: '02:77:0a:f4:02:00', endpoint: '192.168.1.2' },
    ])
  })

  it('leaves room for the tunnel below the size of the uplink', () => {
    expect(planOf(machine({ mtu: 9000 }), [OWN]).plan?.mtu).toBe(8950)
    expect(planOf(machine({ mtu: 1400 }), [OWN]).plan?.mtu).toBe(1350)
  })

  it('lets the kernel choose where the tunnel begins if the address of the node is a router’s', () => {
    expect(planOf(machine(), [OWN], '203.0.113.7').plan?.vxlan.local).toBeNull()
  })

  it('keeps the older of two nodes that share a network, and names the other', () => {
    const twin = nodeOf(3, { podCidr: '10.244.2.0/25', created: 9 })
    for (const nodes of [
      [OWN, nodeOf(2), twin],
      [twin, nodeOf(2), OWN],
    ]) {
      const { plan, faults } = planOf(machine(), nodes)
      expect([...(plan?.peers.values() ?? [])].map(({ name }) => name)).toEqual(['node-2'])
      expect(faults).toEqual([{ kind: 'same-network', node: 'node-3', other: 'node-2', podCidr: '10.244.2.0/25' }])
    }
  })
})

describe('changes of links', () => {
  it('leave nothing to be done', () => {
    const one = machine()
    const plan = settle(one, [OWN, nodeOf(2), nodeOf(3)])
    expect(changesOf(one, plan)).toEqual([])
  })

  it('for a node that came touch nothing but its own entries', () => {
    const one = machine()
    settle(one, [OWN, nodeOf(2)])
    const { plan } = planOf(one, [OWN, nodeOf(2), nodeOf(3)])
    expect(plan && changesOf(one, plan).map(({ program, command }) => `${program} ${command}`)).toEqual([
      'ip neigh replace 10.244.3.0 lladdr 02:77:0a:f4:03:00 dev flotilla.vx nud permanent',
      'bridge fdb replace 02:77:0a:f4:03:00 dev flotilla.vx dst 192.168.1.3',
      'ip route replace 10.244.3.0/24 via 10.244.3.0 dev flotilla.vx onlink',
    ])
  })

  it('take all entries of a node that went', () => {
    const one = machine()
    settle(one, [OWN, nodeOf(2), nodeOf(3)])
    settle(one, [OWN, nodeOf(2)])
    const { routes, neighbours, forwarding } = one.observe()
    expect(routes.filter(({ link }) => link === 'flotilla.vx')).toHaveLength(1)
    expect([...neighbours.keys()]).toEqual(['10.244.2.0'])
    expect(forwarding).toEqual([{ mac: '02:77:0a:f4:02:00', endpoint: '192.168.1.2' }])
  })

  it('make a device anew that is of another sort', () => {
    const link = { name: 'flotilla.vx', kind: 'vxlan', mac: '02:00:00:00:00:01', mtu: 1450, up: true }
    const one = machine().add({ link: { ...link, vxlan: { id: 5, port: 4789, local: null, learning: true } } })
    settle(one, [OWN, nodeOf(2)])
    expect(one.observe().links.get('flotilla.vx')?.vxlan).toEqual({ id: 77, port: 8472, local: '192.168.1.1', learning: false })
  })

  it('lead to the plan from whatever was there before', () => {
    for (let seed = 0; seed < 40; seed++) {
      const random = seededRandom(seed)
      const one = machine()
      for (let step = 0; step < 10; step++) {
        const nodes = [OWN]
        for (let number = 2; number < 7; number++) {
          const address = `192.168.1.${number + 10 * randomInt(random, 2)}`
          if (random.float() < 0.6) nodes.push(nodeOf(number, { address }))
        }
        const plan = settle(one, nodes)
        expect(changesOf(one, plan), `seed ${seed}, step ${step}`).toEqual([])
        const { neighbours, forwarding, routes } = one.observe()
        expect(neighbours.size).toBe(nodes.length - 1)
        expect(forwarding.map(({ endpoint }) => endpoint).toSorted()).toEqual(
          nodes
            .slice(1)
            .map(({ address }) => address ?? '')
            .toSorted(),
        )
        expect(routes.filter(({ link }) => link === 'flotilla.vx')).toHaveLength(nodes.length - 1)
      }
    }
  })
})

describe('conflicts', () => {
  const conflictsOf = (one: MachineModel) => {
    const { plan } = planOf(one, [OWN, nodeOf(2)])
    return plan ? findConflicts(plan, one.observe()) : []
  }

  it('are routes as specific as ours or more, of other links', () => {
    const one = machine().add({ route: { to: '10.244.2.0/25', link: 'tun0' } })
    expect(conflictsOf(one)).toEqual([
      { network: '10.244.2.0/24', use: 'pods of node node-2', own: false, holder: '10.244.2.0/25 on tun0' },
    ])
  })

  it('are not wider routes, which give way, nor our own', () => {
    const one = machine().add({ route: { to: '10.0.0.0/8', link: 'tun0' } })
    settle(one, [OWN, nodeOf(2)])
    expect(conflictsOf(one)).toEqual([])
  })

  it('are addresses of this machine in the network of its own pods', () => {
    const one = machine().add({ address: { link: 'docker0', address: '10.244.1.1', prefix: 16 } })
    expect(conflictsOf(one)).toMatchObject([{ network: '10.244.1.0/24', own: true, holder: '10.244.1.1/32 on docker0' }])
  })

  it('are left alone, and nothing else is', () => {
    const one = machine().add({ route: { to: '10.244.2.0/24', link: 'tun0' } })
    const { plan } = planOf(one, [OWN, nodeOf(2), nodeOf(3)])
    const commands = plan ? changesOf(one, plan, ['10.244.2.0/24']).map(({ command }) => command) : []
    expect(commands.join('\n')).not.toMatch('10.244.2.')
    expect(commands.join('\n')).toMatch('10.244.3.0/24')
  })
})
