/** Our own kind: a machine that is, becomes or stops being a node. Group `infra.flotilla.dev`. */
import type { KubeObject, Time } from '../../meta/v1/object.ts'
import type { Condition } from '../../meta/v1/types.gen.ts'

export interface Machine extends KubeObject {
  spec: MachineSpec
  status: MachineStatus
}

export interface MachineSpec {
  provider: 'ssh' | 'sandbox' | 'qemu'
  /** Where to reach it. With `sandbox` and `qemu` the provider fills this in. */
  ssh?: SshEndpoint
  sandbox?: { /** Bytes; absent: no limit. */ memoryBytes?: number }
  qemu?: VirtualMachineSpec
  /** The address that other nodes use; absent: the one that the SSH connection reached. */
  nodeIP?: string
  /** Install containerd from the distribution's packages when it is missing. */
  installRuntime?: boolean
  /** Put on the Node when it registers. */
  labels?: Record<string, string>
}

/** A virtual machine on this computer. CPUs and more memory come with its next start, a larger disk and less memory at once. */
export interface VirtualMachineSpec {
  /** Default 2. */
  cpus: number
  /** Default 2 GiB. */
  memoryBytes: number
  /** Of its disk, which grows as it is used up to this. Default 20 GiB; cannot become smaller. */
  diskBytes: number
  /** What it is to do: run, be shut down, or rest with its memory on the disk. Default `On`. */
  power: 'On' | 'Off' | 'Suspended'
  /** A distribution's disk image with cloud-init; absent: Flotilla's own image. */
  image?: { url: string; /** 64 hexadecimal digits. */ sha256: string }
}

export interface SshEndpoint {
  host: string
  port: number
  user: string
  /** The pinned host key as in known_hosts: "ssh-ed25519 AAAA…". */
  hostKey: string
  /** How the first sign-in went; later ones use Flotilla's own key, which that sign-in installed. */
  auth: 'agent' | 'key' | 'password'
  keyFile?: string
  jump?: { host: string; port: number; user: string; hostKey: string }
}

/** `Stopped` and `Suspended`: a virtual machine that was told to. */
export type MachinePhase = 'Pending' | 'Provisioning' | 'Ready' | 'Failed' | 'Unreachable' | 'Stopped' | 'Suspended' | 'Removing'

export interface MachineStatus {
  phase?: MachinePhase
  /** The steps of the present or last run, in order. */
  steps?: MachineStep[]
  preflight?: PreflightCheck[]
  failure?: MachineFailure
  /** The SSH connection that the control plane holds to it. */
  link?: MachineLink
  /** `Linked`: whether that connection is up, and if not, why, as a reason in one word. */
  conditions?: Condition[]
  address?: string
  operatingSystem?: string
  architecture?: string
  agentVersion?: string
  qemu?: VirtualMachineStatus
  setup?: MachineSetup
}

/** What the last run of the steps cost, whether it came to its end or not. */
export interface MachineSetup {
  finishedAt: Time
  milliseconds: number
  /** Over the network, encryption included. */
  sentBytes: number
  receivedBytes: number
}

export interface VirtualMachineStatus {
  /** `tcg`: emulated, because hardware virtualization cannot be used. */
  accelerator: 'kvm' | 'hvf' | 'tcg'
  /** With what it runs, or ran last. */
  cpus: number
  memoryBytes: number
  /** Whether its next start brings what the spec says. */
  restartNeeded?: boolean
}

export interface MachineLink {
  connected: boolean
  /** Since when it is so. */
  since: Time
  lastError?: string
  /** How many attempts failed since it was connected last. */
  attempts?: number
  /** When it is tried next, while it waits for that. */
  nextAttempt?: Time
}

export interface MachineStep {
  name: string
  title: string
  state: 'waiting' | 'running' | 'done' | 'failed'
  startedAt?: Time
  finishedAt?: Time
  /** What it does now or found: "copied 14 of 127 MB". */
  detail?: string
}

export interface PreflightCheck {
  name: string
  state: 'ok' | 'warn' | 'fail'
  /** What was found: "Debian 12, amd64, kernel 6.1". */
  found: string
  /** With warn or fail: what it means and what to do. */
  advice?: string
}

export interface MachineFailure {
  code: string
  step: string
  what: string
  why: string
  next: string
}
