/** The addresses that this node's agent serves itself: the API server's and the DNS server's. They lie on `lo`. */
import type { AgentConfig } from '../../api/infra/v1alpha1/agent-config.ts'
import { CommandError, type Commands } from './commands.ts'
import type { Step } from './links/changes.ts'
import type { Observed } from './links/observed.ts'

type Vips = Pick<AgentConfig, 'apiVip' | 'dnsVip'>

const all = ({ apiVip, dnsVip }: Vips) => [...new Set([apiVip, dnsVip])]

/** Of scope `host`, so that nothing takes them for its own sender address. */
const add = (address: string) => `addr replace ${address}/32 dev lo scope host`

export async function addServiceAddresses(commands: Commands, vips: Vips): Promise<void> {
  await commands.run('ip', ['-batch', '-'], `link set lo up\n${all(vips).map(add).join('\n')}\n`)
}

/** What is missing of them. */
export function serviceAddressChanges(vips: Vips, { addresses }: Observed): Step[] {
  const present = new Set(addresses.filter(({ link }) => link === 'lo').map(({ address }) => address))
  return all(vips)
    .filter((address) => !present.has(address))
    .map((address) => ({ program: 'ip', command: add(address), topic: 'services' }))
}

export async function removeServiceAddresses(commands: Commands, vips: Vips): Promise<void> {
  for (const address of all(vips)) {
    await commands.run('ip', ['addr', 'del', `${address}/32`, 'dev', 'lo']).catch((error: unknown) => {
      if (!(error instanceof CommandError) || !/Cannot assign|not found/.test(error.stderr)) throw error
    })
  }
}
