/** Takes the network of a node off its machine. */
import { rm } from 'node:fs/promises'
import type { AgentConfig } from '../../api/infra/v1alpha1/agent-config.ts'
import { removeCniConfig } from './cni-config.ts'
import { CommandError, type Commands } from './commands.ts'
import { closeForeignFilters } from './foreign-filters.ts'
import { BRIDGE, VXLAN } from './links/observed.ts'
import { removeTable } from './nft/table.ts'
import { removePortmapChains } from './portmap-chains.ts'
import { removeServiceAddresses } from './service-addresses.ts'
import { stateFile } from './state/cluster-state.ts'

/**
 * For when no part of the network runs any more and pods have ended. Safe to call again; goes on after a failure and throws
 * AggregateError with all of them. Sysctls stay: others may have come to need them.
 */
export async function removeNetwork(config: AgentConfig, commands: Commands): Promise<void> {
  const steps: (() => Promise<void>)[] = [
    () => removeCniConfig(config),
    () => closeForeignFilters(commands),
    () => removeTable(commands),
    () => removePortmapChains(commands, config.clusterCIDR),
    () => removeLink(commands, VXLAN),
    () => removeLink(commands, BRIDGE),
    () => removeServiceAddresses(commands, config),
    () => rm(stateFile(config.stateDir), { force: true }),
  ]
  const errors: unknown[] = []
  for (const step of steps) await step().catch((error: unknown) => errors.push(error))
  if (errors.length) throw new AggregateError(errors, `The network could not be taken away whole: ${errors.map(String).join('; ')}`)
}

/** With it go its addresses, routes and neighbours. */
async function removeLink(commands: Commands, link: string): Promise<void> {
  await commands.run('ip', ['link', 'del', link]).catch((error: unknown) => {
    if (!(error instanceof CommandError) || !/Cannot find device/.test(error.stderr)) throw error
  })
}
