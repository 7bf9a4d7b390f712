/** Disk and memory of a running machine, saved in its disk and loaded from there, by QMP's snapshot jobs. */
import { FlotillaError } from '../../base/errors.ts'
import { DISK_NODE } from './command-line.ts'
import type { Qmp } from './qmp.ts'

/** The snapshot that a suspended machine goes on from. */
export const SUSPENDED = 'flotilla-suspended'

const snapshotTarget = (tag: string) => ({ tag, vmstate: DISK_NODE, devices: [DISK_NODE] })

export async function saveState(qmp: Qmp, tag: string, signal?: AbortSignal): Promise<void> {
  await qmp.job('snapshot-save', `save-${tag}`, snapshotTarget(tag), signal)
}

export async function loadState(qmp: Qmp, tag: string, signal?: AbortSignal): Promise<void> {
  await qmp.job('snapshot-load', `load-${tag}`, snapshotTarget(tag), signal)
}

export async function deleteState(qmp: Qmp, tag: string, signal?: AbortSignal): Promise<void> {
  await qmp.job('snapshot-delete', `delete-${tag}`, { tag, devices: [DISK_NODE] }, signal)
}

/** Throws INVALID_INPUT if a snapshot cannot be called that. */
export function checkLabel(label: string): void {
  if (/^[A-Za-z0-9][\w.-]{0,62}$/.test(label) && label !== SUSPENDED) return
  throw new FlotillaError('INVALID_INPUT', {
    what: `"${label}" cannot be the name of a snapshot.`,
    why: 'It must be 1 to 63 letters, digits, dots, hyphens and underscores, and begin with a letter or digit.',
    next: 'Choose another name.',
  })
}
