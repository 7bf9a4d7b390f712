import type { NetworkInterfaceInfo } from 'node:os'
import { expect, it } from 'vitest'
import { FakeClock } from '../../base/fake-clock.ts'
import { watchNetwork, type Interfaces } from './network-watch.ts'

const v4 = (address: string): NetworkInterfaceInfo => ({
  ...{ address, netmask: '255.255.255.0', family: 'IPv4', mac: '02:00:00:00:00:01', cidr: `${address}/24` },
  internal: address.startsWith('127.'),
})
const v6 = (address: string, scopeid = 0): NetworkInterfaceInfo => ({ ...v4(address), family: 'IPv6', cidr: `${address}/64`, scopeid })

function harness(first: Interfaces) {
  const clock = new FakeClock()
  const seen = { interfaces: first, changes: 0 }
  const watching = watchNetwork({ clock, interfaces: () => seen.interfaces, onChange: () => seen.changes++ })
  const becomes = async (next: Interfaces) => {
    seen.interfaces = next
    await clock.advance(3000)
    return seen.changes
  }
  return { becomes, watching, clock }
}

const HOME = { lo: [v4('127.0.0.1')], wlan0: [v4('192.168.1.7')] }

it('sees another network, a cable beside it, a VPN and that all are gone', async () => {
  const { becomes, watching, clock } = harness(HOME)
  expect(await becomes(HOME)).toBe(0)
  expect(await becomes({ ...HOME, wlan0: [v4('10.0.0.7')] })).toBe(1)
  expect(await becomes({ ...HOME, wlan0: [v4('10.0.0.7')], eth0: [v4('10.0.0.8')] })).toBe(2)
  expect(await becomes({ ...HOME, wlan0: [v4('10.0.0.7')], wg0: [v4('172.16.0.2')] })).toBe(3)
  expect(await becomes({ lo: HOME.lo })).toBe(4)
  watching[Symbol.dispose]()
  expect(clock.pending).toBe(0)
})

it('does not take pods, machines of its own and hourly IPv6 addresses for another network', async () => {
  const { becomes } = harness({ ...HOME, eth0: [v6('2001:db8:0:1:aaaa::1')] })
  expect(await becomes({ ...HOME, eth0: [v6('2001:db8:0:1:bbbb::2'), v6('fe80::1', 3)] })).toBe(0)
  const local = { veth12: [v4('169.254.1.1')], 'fl-0a1b2c3d': [v4('10.77.0.1')], docker0: [v4('172.17.0.1')] }
  expect(await becomes({ ...HOME, eth0: [v6('2001:db8:0:1:cccc::3')], ...local })).toBe(0)
})
