/** The machine that steps work on. */
import type { Clock } from '../../base/clock.ts'
import type { Random } from '../../base/random.ts'
import type { SshConnection } from '../ssh/connection.ts'
import type { Shell } from '../ssh/exec.ts'
import type { RootShell } from '../ssh/sudo.ts'
import type { MachineFacts } from './facts.ts'
import type { Throughput } from '../ssh/transfer.ts'

export interface Target {
  readonly name: string
  readonly connection: SshConnection
  readonly root: RootShell
  readonly user: Shell
  readonly facts: MachineFacts
  /** Of what was copied to it so far. */
  readonly throughput: Throughput
  readonly clock: Clock
  readonly random: Random
}
