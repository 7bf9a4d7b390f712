/** What machines are made from, and what they offer. */
import type { Duplex } from 'node:stream'
import type { PreflightCheck } from '../../api/infra/v1alpha1/types.ts'
import type { Clock } from '../../base/clock.ts'
import type { Component } from '../../base/lifecycle.ts'
import type { Logger } from '../../base/logger.ts'
import type { Random } from '../../base/random.ts'
import type { Client } from '../../client/client.ts'
import type { Informers } from '../../client/informer.ts'
import type { CloudImage, MachineImages } from '../machine-image/images.ts'
import type { VirtualMachines } from '../qemu/virtual-machines.ts'
import type { Credentials, Endpoint, ScannedKey, SshEnvironment } from '../ssh/endpoint.ts'
import type { ExecOptions, ExecResult } from '../ssh/exec.ts'
import type { ShellSession, TerminalSize } from '../ssh/shell.ts'
import type { ClusterInfo } from '../steps/configure.ts'
import type { AgentTls } from '../steps/remove.ts'
import type { AgentPrograms } from './agent-programs.ts'
import type { ImportEvent } from './import-archive.ts'
import type { RollingEvent } from './rolling.ts'

export interface MachinesDeps {
  readonly client: Client
  /** Shared; must be started by its owner, before or after. */
  readonly informers: Informers
  /** Absolute. Keys, known hosts and sandboxes are kept in it. */
  readonly stateDir: string
  readonly clock: Clock
  readonly random: Random
  readonly logger: Logger
  readonly version: string
  readonly cluster: ClusterInfo
  /** Port of the API server on this computer's loopback. */
  readonly apiPort: () => number
  /** The API server's client certificate for agents; null: agents are not asked to clean up, SSH does it. */
  readonly agentTls: (() => Promise<AgentTls>) | null
  /** Folder with `agent.mjs`. */
  readonly agentDir: string
  /** Folders that hold `node-linux-<arch>/bin/node`. */
  readonly runtimeDirs: readonly string[]
  /** `resources/units`. */
  readonly unitsDir: string
  /** Whether sandboxes reach other networks through this computer, to pull images for one. Absent: yes. */
  readonly egress?: boolean
  /** Absent: the user's own. */
  readonly environment?: SshEnvironment
}

/** An endpoint as the contract's channels give it. */
export interface MachineAddress extends Endpoint {
  readonly credentials?: Credentials | undefined
}

export interface NewMachine extends Endpoint {
  readonly name: string
  readonly hostKey: string
  readonly jump?: (Endpoint['jump'] & { hostKey: string }) | undefined
  readonly nodeIP?: string | undefined
  readonly installRuntime?: boolean | undefined
  readonly labels?: Record<string, string> | undefined
  readonly credentials: Credentials
  /** Absent: what stands in the way is found out by the set-up itself, and told in the machine's status. */
  readonly checkFirst?: boolean | undefined
}

export interface Machines extends Component {
  scanHostKey(address: MachineAddress, signal: AbortSignal): Promise<ScannedKey>
  /** What the user's ssh_config says of a host, to fill in a form. */
  sshDefaults(
    host: string,
  ): Promise<{ hostName: string; user?: string; port?: number; keyFile?: string; jump?: { host: string; user?: string; port?: number } }>
  preflight(
    address: MachineAddress & { hostKey: string } & Pick<NewMachine, 'installRuntime' | 'nodeIP'>,
    signal: AbortSignal,
  ): Promise<readonly PreflightCheck[]>
  add(machine: NewMachine, signal?: AbortSignal): Promise<{ name: string }>
  addVirtual(options: {
    name?: string | undefined
    cpus?: number | undefined
    memoryBytes?: number | undefined
    diskBytes?: number | undefined
    image?: CloudImage | undefined
  }): Promise<{ name: string }>
  /** The virtual machines of this computer, and what they are made from. */
  virtual(): { machines: VirtualMachines; images: MachineImages }
  addSandbox(options: { name?: string | undefined; memoryBytes?: number | undefined }): Promise<{ name: string }>
  retry(options: { name: string; credentials?: Credentials | undefined }): Promise<void>
  cancel(options: { name: string }): Promise<void>
  /** Replaces agents, one machine after the other; see the channel of this name. Rejects only when the signal aborts. */
  upgrade(
    options: { names?: readonly string[] | undefined; rollBack?: boolean | undefined; drain?: boolean | undefined },
    emit: (event: RollingEvent) => void,
    signal: AbortSignal,
  ): Promise<void>
  remove(options: { name: string; credentials?: Credentials | undefined; forget?: boolean | undefined }): Promise<void>
  shell(options: { name: string; size: TerminalSize | null }, signal: AbortSignal): Promise<ShellSession>
  /** Of a machine's agent: its program, and until when its certificate holds (milliseconds). Throws FlotillaError. */
  examine(name: string, signal: AbortSignal): Promise<{ programs: AgentPrograms; validTo: number }>
  /** Of the agent that this app brings: lower-case hex. */
  agentSha256(): Promise<string>
  /** A script of /bin/sh; with `root` as root, if that needs no password. Throws NO_SUDO, SSH_CONNECTION_LOST. */
  run(options: { name: string; script: string; root: boolean }, exec: ExecOptions): Promise<ExecResult>
  importImages(
    options: { machines?: readonly string[] | undefined; source: AsyncIterable<Uint8Array> },
    emit: (event: ImportEvent) => void,
    signal: AbortSignal,
  ): Promise<void>
  /** The API server's `NodeDialer`. Rejects with Status 503 if the machine has no link. */
  dial(node: string, port: number, signal?: AbortSignal): Promise<Duplex>
  /** The network of this computer changed, or it woke up: all links are looked after at once. A change of addresses is seen without it. */
  poke(reason: 'resume' | 'network'): void
}
