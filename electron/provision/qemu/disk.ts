/** Disks of virtual machines, by the program qemu-img. */
import { rename, rm } from 'node:fs/promises'
import { FlotillaError, systemCode } from '../../base/errors.ts'
import { CommandError, run } from '../sandbox/run.ts'

export interface Snapshot {
  readonly name: string
  /** RFC 3339. */
  readonly createdAt: string
  /** Bytes of memory that it has; 0: it is of the disk alone. */
  readonly memoryBytes: number
}

export interface DiskFacts {
  readonly format: string
  /** Bytes as the guest sees it. */
  readonly size: number
  /** Bytes that it takes here. */
  readonly used: number
  readonly snapshots: readonly Snapshot[]
}

interface Info {
  format: string
  'virtual-size': number
  'actual-size': number
  snapshots?: { name: string; 'date-sec': number; 'vm-state-size': number }[]
}

/** Works also while a machine runs on it. */
export async function diskFacts(disk: string): Promise<DiskFacts> {
  const info = JSON.parse(await qemuImg(['info', '--force-share', '--output=json', disk])) as Info
  return {
    format: info.format,
    size: info['virtual-size'],
    used: info['actual-size'],
    snapshots: (info.snapshots ?? []).map((one) => ({
      name: one.name,
      createdAt: new Date(one['date-sec'] * 1000).toISOString(),
      memoryBytes: one['vm-state-size'],
    })),
  }
}

/** A disk that holds what differs from the image below; that is never written to. */
export async function createOverlay(disk: string, image: string, bytes: number): Promise<void> {
  const below = await diskFacts(image)
  await qemuImg(['create', '-q', '-f', 'qcow2', '-F', below.format, '-b', image, disk, String(Math.max(bytes, below.size))])
}

export async function growDisk(disk: string, bytes: number): Promise<void> {
  await qemuImg(['resize', '-q', disk, String(bytes)])
}

/** Snapshots of a disk that nothing runs on. */
export const offlineSnapshot = {
  create: (disk: string, name: string) => qemuImg(['snapshot', '-c', name, disk]),
  apply: (disk: string, name: string) => qemuImg(['snapshot', '-a', name, disk]),
  delete: (disk: string, name: string) => qemuImg(['snapshot', '-d', name, disk]),
}

/** Writes the disk anew without what was given back; snapshots would not come along. A failure leaves it as it is. */
export async function compactDisk(disk: string, image: string): Promise<void> {
  const { format } = await diskFacts(image)
  const fresh = `${disk}.new`
  try {
    await qemuImg(['convert', '-O', 'qcow2', '-B', image, '-F', format, disk, fresh])
    await rename(fresh, disk)
  } finally {
    await rm(fresh, { force: true })
  }
}

async function qemuImg(args: readonly string[]): Promise<string> {
  try {
    return await run('qemu-img', args)
  } catch (error) {
    if (systemCode(error) === 'ENOENT')
      throw new FlotillaError('MISSING_REQUIREMENT', {
        what: 'The disk of a virtual machine could not be worked on.',
        why: 'qemu-img is not installed.',
        next: 'Install it: `apt-get install qemu-utils`, `dnf install qemu-img`, or `brew install qemu`.',
        cause: error,
      })
    const said = error instanceof CommandError ? error.stderr.trim() : String(error)
    const full = /No space left/i.test(said)
    throw new FlotillaError(full ? 'DISK_FULL' : 'INTERNAL', {
      what: 'The disk of a virtual machine could not be worked on.',
      why: full ? 'The disk of this computer is full.' : `${said}.`,
      next: full ? 'Make room, then try again.' : 'Try again; if it stays, look whether the image below it was moved or deleted.',
      cause: error,
    })
  }
}
