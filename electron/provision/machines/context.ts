/** What all machines of one control plane share. */
import type { Node } from '../../api/core/v1/types.gen.ts'
import type { Machine } from '../../api/infra/v1alpha1/types.ts'
import type { Kind } from '../../api/kind.ts'
import type { Clock } from '../../base/clock.ts'
import type { Logger } from '../../base/logger.ts'
import type { Random } from '../../base/random.ts'
import type { Client } from '../../client/client.ts'
import type { Informer } from '../../client/informer.ts'
import type { MachineImages } from '../machine-image/images.ts'
import type { VirtualMachines } from '../qemu/virtual-machines.ts'
import type { Sandboxes } from '../sandbox/sandbox.ts'
import type { Slots } from '../slots.ts'
import type { SshEnvironment } from '../ssh/endpoint.ts'
import type { PrivateKey } from '../ssh/keys.ts'
import type { ClusterInfo, UnitFiles } from '../steps/configure.ts'
import type { Programs } from '../steps/provision.ts'
import type { AgentTls } from '../steps/remove.ts'
import type { LocalFiles } from '../steps/runtime.ts'

export interface MachineContext {
  readonly kind: Kind<Machine>
  readonly client: Client
  readonly machines: Informer<Machine>
  readonly nodes: Informer<Node>
  readonly clock: Clock
  readonly random: Random
  readonly logger: Logger
  /** This program's version, which the agent that it copies has too. */
  readonly version: string
  readonly cluster: ClusterInfo
  readonly clusterKey: PrivateKey
  readonly programs: Programs
  readonly localFiles: LocalFiles
  readonly units: UnitFiles
  readonly environment: SshEnvironment
  /** How many machines are set up at a time. */
  readonly runs: Slots
  readonly sandboxes: Sandboxes
  readonly virtual: VirtualMachines
  readonly images: MachineImages
  readonly apiPort: () => number
  readonly agentTls: (() => Promise<AgentTls>) | null
  /** Absolute path of a folder for small files per machine. */
  readonly dir: string
}
