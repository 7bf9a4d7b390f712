/**
 * The address of this node, also after its network gave it another. The control plane writes down where it reached the machine; that is
 * taken once the address that was used before is on no interface any more, so that a node which is reached in several ways keeps its own.
 */
import { readFile } from 'node:fs/promises'
import { isIPv4, isIPv6 } from 'node:net'
import type { NetworkInterfaceInfo } from 'node:os'
import { dirname, join } from 'node:path'
import type { AgentConfig } from '../../api/infra/v1alpha1/agent-config.ts'
import type { Clock } from '../../base/clock.ts'
import type { Random } from '../../base/random.ts'
import { writeAtomically } from '../checkpoint/atomic-file.ts'

export interface OwnAddressDeps {
  readonly config: AgentConfig
  readonly random: Random
  readonly interfaces: () => Readonly<Record<string, readonly NetworkInterfaceInfo[] | undefined>>
}

/** What is kept in `address.json` of the state folder: `used` holds as long as the configuration says the same as then. */
interface Kept {
  readonly configured: string
  readonly used: string
}

const LOOK_MS = 5000

/** The address to use now. Another than last time is written down. */
export async function ownAddress({ config, random, interfaces }: OwnAddressDeps): Promise<string> {
  const file = join(config.stateDir, 'address.json')
  const kept = await readFile(file, 'utf8').then(
    (text) => JSON.parse(text) as Kept,
    () => null,
  )
  const before = kept?.configured === config.nodeIP ? kept.used : config.nodeIP
  const here = addressesOf(interfaces())
  if (here.has(before)) return before
  const noted = await notedAddress(config)
  if (noted === null || !here.has(noted)) return before
  await writeAtomically(file, JSON.stringify({ configured: config.nodeIP, used: noted } satisfies Kept), random)
  return noted
}

/** Calls `onMove` once when `ownAddress` would answer differently from `used`. */
export function watchAddress(deps: OwnAddressDeps & { clock: Clock; used: string; onMove: (to: string) => void }): Disposable {
  const { clock, used, interfaces, config, onMove } = deps
  const watching = clock.setInterval(
    () => {
      if (addressesOf(interfaces()).has(used)) return
      void notedAddress(config).then((noted) => {
        if (noted === null || noted === used || !addressesOf(interfaces()).has(noted)) return
        watching[Symbol.dispose]()
        onMove(noted)
      })
    },
    LOOK_MS,
    { unref: true },
  )
  return watching
}

function addressesOf(interfaces: ReturnType<OwnAddressDeps['interfaces']>): Set<string> {
  return new Set(Object.values(interfaces).flatMap((all) => (all ?? []).filter(({ internal }) => !internal).map(({ address }) => address)))
}

async function notedAddress({ apiPortFile }: AgentConfig): Promise<string | null> {
  const text = (await readFile(join(dirname(apiPortFile), 'address'), 'utf8').catch(() => '')).trim()
  return isIPv4(text) || isIPv6(text) ? text : null
}
