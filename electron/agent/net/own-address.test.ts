import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises'
import type { NetworkInterfaceInfo } from 'node:os'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, expect, it } from 'vitest'
import type { AgentConfig } from '../../api/infra/v1alpha1/agent-config.ts'
import { FakeClock } from '../../base/fake-clock.ts'
import { seededRandom } from '../../base/random.ts'
import { ownAddress, watchAddress } from './own-address.ts'

let dir: string
let addresses: string[]
beforeEach(async () => {
  dir = await mkdtemp(join(tmpdir(), 'address-'))
  await mkdir(join(dir, 'link'))
  addresses = ['10.0.0.5']
})
afterEach(() => rm(dir, { recursive: true }))

const deps = (nodeIP = '10.0.0.5') => ({
  config: { nodeIP, stateDir: dir, apiPortFile: join(dir, 'link/api-port') } as AgentConfig,
  random: seededRandom(1),
  interfaces: () => ({ eth0: addresses.map((address) => ({ address, internal: false }) as NetworkInterfaceInfo) }),
})
const reachedAt = (address: string) => writeFile(join(dir, 'link/address'), address)

it('is the configured one while that is on an interface, however the machine is reached', async () => {
  addresses = ['10.0.0.5', '100.64.0.9']
  await reachedAt('100.64.0.9')
  expect(await ownAddress(deps())).toBe('10.0.0.5')
})

it('follows the network, and stays with what it took while that holds', async () => {
  addresses = ['10.9.9.9', '100.64.0.9']
  expect(await ownAddress(deps())).toBe('10.0.0.5')
  await reachedAt('10.9.9.9')
  expect(await ownAddress(deps())).toBe('10.9.9.9')
  await reachedAt('100.64.0.9')
  expect(await ownAddress(deps())).toBe('10.9.9.9')
  addresses = ['10.1.1.1', '100.64.0.9']
  expect(await ownAddress(deps('10.1.1.1'))).toBe('10.1.1.1')
})

it('takes no address that is not its own', async () => {
  addresses = ['10.9.9.9']
  await reachedAt('10.6.6.6')
  expect(await ownAddress(deps())).toBe('10.0.0.5')
  await reachedAt('$(reboot)')
  expect(await ownAddress(deps())).toBe('10.0.0.5')
})

it('is told when it has to be another, once', async () => {
  const clock = new FakeClock()
  const moves: string[] = []
  using _watching = watchAddress({ ...deps(), clock, used: '10.0.0.5', onMove: (to) => moves.push(to) })
  await reachedAt('10.9.9.9')
  await clock.advance(20_000)
  expect(moves).toEqual([])
  addresses = ['10.9.9.9']
  await expect.poll(async () => (await clock.advance(5000), moves)).toEqual(['10.9.9.9'])
  expect(clock.pending).toBe(0)
})
