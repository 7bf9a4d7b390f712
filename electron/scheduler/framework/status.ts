/** What a plugin says. Success is null, so that what happens most costs nothing. Source: `kube-scheduler/framework.Status`. */
import { messageOf } from '../../base/errors.ts'
import type { Evidence } from './evidence.ts'

export type Code =
  /** A fault; it is tried again after a back-off. */
  | 'Error'
  /** Not now; taking pods away may help. */
  | 'Unschedulable'
  /** Not, whatever pods are taken away. */
  | 'UnschedulableAndUnresolvable'
  /** The pod waits for leave (Permit). */
  | 'Wait'
  /** The plugin has nothing to do for this pod. */
  | 'Skip'
  /** The pod waits for something that the plugin will hear of. */
  | 'Pending'

export interface Status {
  readonly code: Code
  readonly reasons: readonly string[]
  /** Who says so; "" where no plugin does. */
  readonly plugin: string
  readonly evidence?: readonly Evidence[]
  readonly error?: unknown
}

export type Result = Status | null

export const SKIP: Status = Object.freeze({ code: 'Skip', reasons: [], plugin: '' })

export function unschedulable(plugin: string, reasons: readonly string[], evidence?: readonly Evidence[]): Status {
  return { code: 'Unschedulable', reasons, plugin, ...(evidence ? { evidence } : {}) }
}

export function unresolvable(plugin: string, reasons: readonly string[], evidence?: readonly Evidence[]): Status {
  return { code: 'UnschedulableAndUnresolvable', reasons, plugin, ...(evidence ? { evidence } : {}) }
}

export function errorStatus(plugin: string, error: unknown, what = ''): Status {
  const message = messageOf(error)
  return { code: 'Error', reasons: [what ? `${what}: ${message}` : message], plugin, error }
}

/** Whether the pod was refused, in contrast to a fault. */
export function isRejected(status: Status): boolean {
  return status.code === 'Unschedulable' || status.code === 'UnschedulableAndUnresolvable' || status.code === 'Pending'
}

export function messageOfStatus(status: Status): string {
  return status.reasons.join(', ')
}
