/** The CNI configuration list by which containerd gives pods their network. Source: CNI specification 0.4.0, plugins bridge, host-local, portmap. */
import { mkdir, readFile, rm } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import type { AgentConfig } from '../../api/infra/v1alpha1/agent-config.ts'
import type { Random } from '../../base/random.ts'
import { writeAtomically } from '../checkpoint/atomic-file.ts'
import { BRIDGE } from './links/observed.ts'
import type { LinkPlan } from './links/plan.ts'

/** Leases lie where a restart of the machine clears them, as it ends the pods that hold them. */
export const leaseDir = ({ containerdSocket }: Pick<AgentConfig, 'containerdSocket'>) => join(dirname(containerdSocket), 'ipam')
export const cniConfigFile = ({ cniConfDir }: Pick<AgentConfig, 'cniConfDir'>) => join(cniConfDir, '10-flotilla.conflist')

export function renderCniConfig({ podCidr, mtu, bridge }: LinkPlan, leases: string): string {
  const list = {
    cniVersion: '0.4.0',
    name: 'flotilla',
    plugins: [
      {
        type: 'bridge',
        bridge: BRIDGE,
        isGateway: true,
        ipMasq: false,
        hairpinMode: true,
        mtu,
        ipam: {
          type: 'host-local',
          dataDir: leases,
          ranges: [[{ subnet: podCidr, gateway: bridge.address }]],
          routes: [{ dst: '0.0.0.0/0' }],
        },
      },
      { type: 'portmap', capabilities: { portMappings: true } },
    ],
  }
  return `${JSON.stringify(list, null, 2)}\n`
}

/** Written whole, and only where it differs: containerd reads it anew each time. */
export async function writeCniConfig(config: AgentConfig, plan: LinkPlan, random: Random): Promise<void> {
  const file = cniConfigFile(config)
  const text = renderCniConfig(plan, leaseDir(config))
  const present = await readFile(file, 'utf8').catch(() => null)
  if (present === text) return
  await mkdir(config.cniConfDir, { recursive: true })
  await writeAtomically(file, text, random, 0o644)
}

export async function removeCniConfig(config: AgentConfig): Promise<void> {
  await rm(cniConfigFile(config), { force: true })
  await rm(leaseDir(config), { recursive: true, force: true })
}
