/** What is kept of a virtual machine beside its disk: enough to start it again, and to find it when this program was started anew. */
import { readFile, rename, writeFile } from 'node:fs/promises'
import { systemCode } from '../../base/errors.ts'
import type { Accelerator } from './accelerator.ts'

/** What someone asked for. */
export interface VirtualSpec {
  readonly cpus: number
  readonly memoryBytes: number
  readonly diskBytes: number
}

/** With what QEMU was started last. A memory image fits only the same. */
export interface Launched {
  readonly cpus: number
  readonly memoryMib: number
  readonly accelerator: Accelerator
}

export interface Kept {
  readonly uuid: string
  /** Of the image below its disk. */
  readonly image: string
  /** On the shared segment. */
  readonly address: string
  readonly sshPort: number
  readonly hostKey: string
  readonly privateHostKey: string
  readonly machineId: string
  readonly spec: VirtualSpec
  readonly launched: Launched | null
  /** Whether its memory lies in its disk, to be gone on with. */
  readonly suspended: boolean
}

/** Null if there is none. */
export async function readKept(file: string): Promise<Kept | null> {
  try {
    return JSON.parse(await readFile(file, 'utf8')) as Kept
  } catch (error) {
    if (systemCode(error) === 'ENOENT') return null
    throw error
  }
}

/** Writes beside and renames, so that a crash leaves the old or the new. */
export async function writeKept(file: string, kept: Kept): Promise<void> {
  await writeFile(`${file}.new`, `${JSON.stringify(kept)}\n`, { mode: 0o600, flush: true })
  await rename(`${file}.new`, file)
}
