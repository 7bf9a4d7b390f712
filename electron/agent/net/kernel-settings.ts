/** What the kernel must be told before it carries pods' packets. */
import { access, readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { messageOf } from '../../base/errors.ts'
import type { Commands } from './commands.ts'
import type { Problem } from './problem.ts'

export interface KernelSettings {
  /** Why this machine forwards no packets between pods, nodes and the world; null if it does. */
  readonly forwarding: Problem | null
  /** Whether netfilter can see what a bridge forwards (br_netfilter). */
  readonly bridgeFilter: boolean
}

/** `sysctls` is the folder of the network's sysctls; those of `/proc` belong to the network namespace of who asks. */
export async function prepareKernel(commands: Commands, sysctls = '/proc/sys/net'): Promise<KernelSettings> {
  return { forwarding: await enableForwarding(join(sysctls, 'ipv4/ip_forward')), bridgeFilter: await hasBridgeFilter(commands, sysctls) }
}

async function enableForwarding(file: string): Promise<Problem | null> {
  const isOn = async () => (await readFile(file, 'utf8')).trim() === '1'
  try {
    if (await isOn()) return null
    await writeFile(file, '1')
    if (await isOn()) return null
    return noForwarding('it stayed 0')
  } catch (error) {
    return noForwarding(messageOf(error))
  }
}

function noForwarding(why: string): Problem {
  return {
    reason: 'ForwardingDisabled',
    message:
      `This machine does not forward packets: the sysctl net.ipv4.ip_forward is 0 and could not be set (${why}). ` +
      'Set it to 1 on the machine, or in the configuration of what it runs in.',
    blocking: true,
  }
}

/** The module is loaded when the container runtime starts; by hand here for machines where that was refused or came to nothing. */
async function hasBridgeFilter(commands: Commands, sysctls: string): Promise<boolean> {
  const present = () =>
    access(join(sysctls, 'bridge/bridge-nf-call-iptables')).then(
      () => true,
      () => false,
    )
  if (await present()) return true
  await commands.run('modprobe', ['br_netfilter']).catch(() => undefined)
  return present()
}
