/** Runs the chain of CNI plugins of a configuration list, as a container runtime does. Source: CNI specification 0.4.0. */
import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { systemCommands } from '../../electron/agent/net/commands.ts'

const PLUGINS = '/usr/lib/cni'

export interface PortMapping {
  readonly hostPort: number
  readonly containerPort: number
  readonly protocol: 'tcp' | 'udp'
}

interface ConfigList {
  readonly cniVersion: string
  readonly name: string
  readonly plugins: readonly { readonly type: string; readonly capabilities?: object }[]
}

interface Attachment {
  /** Of the runtime. */
  readonly host: string
  /** Of the pod. */
  readonly pod: string
  readonly configFile: string
  readonly portMappings?: readonly PortMapping[]
}

/** The pod's address. */
export async function attach(attachment: Attachment): Promise<string> {
  const result = await runChain('ADD', attachment)
  const { ips } = JSON.parse(result) as { ips: readonly { readonly address: string }[] }
  return ips[0]?.address.split('/')[0] ?? ''
}

export async function detach(attachment: Attachment): Promise<void> {
  await runChain('DEL', attachment)
}

async function runChain(command: 'ADD' | 'DEL', { host, pod, configFile, portMappings = [] }: Attachment): Promise<string> {
  const { cniVersion, name, plugins } = JSON.parse(await readFile(configFile, 'utf8')) as ConfigList
  let result = ''
  for (const plugin of command === 'ADD' ? plugins : plugins.toReversed()) {
    const input = {
      ...{ cniVersion, name, ...plugin },
      ...(plugin.capabilities ? { runtimeConfig: { portMappings } } : {}),
      ...(result ? { prevResult: JSON.parse(result) as unknown } : {}),
    }
    const variables = [
      `CNI_COMMAND=${command}`,
      `CNI_CONTAINERID=${pod}`,
      `CNI_NETNS=/run/netns/${pod}`,
      'CNI_IFNAME=eth0',
      `CNI_PATH=${PLUGINS}`,
    ]
    const args = [`--net=/run/netns/${host}`, 'env', ...variables, join(PLUGINS, plugin.type)]
    result = await systemCommands.run('nsenter', args, JSON.stringify(input)).catch((error: unknown) => {
      throw new Error(`${plugin.type} ${command}: ${String(error)}`)
    })
  }
  return result
}
