/** How the link to a machine does, as its status says it. */
import type { MachineStatus } from '../../api/infra/v1alpha1/types.ts'
import type { Condition } from '../../api/meta/v1/types.gen.ts'
import { formatTime } from '../../api/values/time.ts'
import type { ErrorCode } from '../../base/errors.ts'
import type { LinkState } from '../link/link.ts'

/** Of the condition that says whether the control plane is connected to the machine. */
export const LINKED = 'Linked'

/** A field that is null is taken away. */
export type LinkChange = {
  [K in keyof NonNullable<MachineStatus['link']>]-?: NonNullable<MachineStatus['link']>[K] | null
} & { connected: boolean; since: string }

export function linkStatus({ connected, since, error, attempts, nextAttempt }: LinkState): LinkChange {
  return {
    connected,
    since: formatTime(since),
    lastError: error ? `${error.what} ${error.why}` : null,
    attempts: attempts ?? null,
    nextAttempt: nextAttempt === undefined ? null : formatTime(nextAttempt),
  }
}

export function linkedCondition({ connected, since, error }: LinkState): Condition {
  const common = { type: LINKED, lastTransitionTime: formatTime(since) }
  if (connected) return { ...common, status: 'True', reason: 'Connected', message: '' }
  if (!error) return { ...common, status: 'False', reason: 'Connecting', message: 'The connection is being made.' }
  return { ...common, status: 'False', reason: REASONS[error.code] ?? 'LinkFailed', message: `${error.what} ${error.why}` }
}

const REASONS: Partial<Record<ErrorCode, string>> = {
  SSH_UNREACHABLE: 'Unreachable',
  SSH_HOST_UNKNOWN: 'NameNotFound',
  SSH_CONNECTION_LOST: 'ConnectionLost',
  SSH_AUTH_FAILED: 'SignInRefused',
  SSH_HOST_KEY_CHANGED: 'HostKeyChanged',
  SSH_HOST_KEY_UNKNOWN: 'HostKeyUnknown',
  SSH_KEY_UNUSABLE: 'KeyUnusable',
  REMOTE_COMMAND_FAILED: 'MachineNotUsable',
  MISSING_REQUIREMENT: 'MachineNotUsable',
}
