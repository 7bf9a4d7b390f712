import { existsSync } from 'node:fs'
import type { Random } from '../../../electron/base/random.ts'
import { whyNoFaultyDisk } from '../disk/library.ts'
import { isPlantedBug, PLANTED_BUGS } from '../planted/bugs.ts'
import type { FaultKind } from '../schedule/intents.ts'
import { EtcdServer } from './etcd-server.ts'
import { FaceServer } from './face-server.ts'
import { HostedServer } from './hosted-server.ts'
import type { Server } from './server.ts'

export interface Engine {
  readonly name: string
  /** What can be done to it. */
  readonly faults: readonly FaultKind[]
  /** Why it cannot be run on this computer, if so. */
  readonly lacks: string | null
  open(options: { readonly place: string; readonly random: Random }): Promise<Server>
}

const PROCESS_FAULTS: readonly FaultKind[] = ['kill', 'pause']
const DISK_FAULTS: readonly FaultKind[] = [
  'kill',
  'losePower',
  'losePower',
  'losePowerTwice',
  'close',
  'pause',
  'syncError',
  'writeError',
  'full',
  'slowDisk',
  'shortWrites',
]

export const ENGINES = ['embedded', 'memory', 'face', 'etcd'] as const

/** `script` is that of the bundled process with the store. Null if there is no engine of this name. */
export function engineOf(name: string, script: string): Engine | null {
  const [engine, bug] = name.split(':')
  if (bug !== undefined && (!isPlantedBug(bug) || PLANTED_BUGS[bug].engine !== engine)) return null
  const hosted = (faultyDisk: boolean) => (options: { place: string; random: Random }) =>
    Promise.resolve(new HostedServer({ ...options, script, engine: name, faultyDisk }))
  switch (engine) {
    case 'memory':
      return { name, faults: ['pause'], lacks: null, open: hosted(false) }
    case 'embedded':
      return { name, faults: DISK_FAULTS, lacks: whyNoFaultyDisk(), open: hosted(true) }
    case 'face':
      return { name, faults: DISK_FAULTS, lacks: whyNoFaultyDisk(), open: (options) => FaceServer.create({ ...options, script }) }
    case 'etcd':
      return {
        name,
        faults: PROCESS_FAULTS,
        lacks: existsSync('/usr/bin/etcd') ? null : 'needs etcd-server',
        open: ({ place }) => EtcdServer.create(place),
      }
    default:
      return null
  }
}
