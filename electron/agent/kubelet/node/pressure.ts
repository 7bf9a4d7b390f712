/** Whether the node runs out of memory, disk or process ids. Source: kubernetes `kubelet/eviction`. */
import { readFile } from 'node:fs/promises'
import type { Clock } from '../../../base/clock.ts'
import { diskSpace, meminfoBytes } from './machine.ts'
import type { DiskSpace } from './machine.ts'

export type Pressure = 'memory' | 'disk' | 'pid'

export interface Signals {
  /** Bytes. */
  readonly memoryAvailable: number
  /** Of the agent's state, logs and volumes. */
  readonly nodeDisk: DiskSpace
  /** Of images and containers. */
  readonly imageDisk: DiskSpace
  readonly pidsAvailable: number
  readonly pidsMax: number
}

const MEMORY_LEAST = 100 << 20
const NODE_DISK_LEAST = 0.1
const IMAGE_DISK_LEAST = 0.15
const INODES_LEAST = 0.05
const PIDS_LEAST = 0.02
/** A pressure that is over is told on for so long, so that pods do not come back at once. */
const TRANSITION = 5 * 60_000

export async function readSignals(paths: { state: string; images: string }, memoryLimit: MemoryLimit | null): Promise<Signals> {
  const [meminfo, nodeDisk, imageDisk, loadavg, pidMax] = await Promise.all([
    readFile('/proc/meminfo', 'utf8'),
    diskSpace(paths.state),
    diskSpace(paths.images),
    readFile('/proc/loadavg', 'utf8'),
    readFile('/proc/sys/kernel/pid_max', 'utf8'),
  ])
  const free = meminfoBytes(meminfo, 'MemAvailable') ?? 0
  const memoryAvailable = memoryLimit ? Math.min(free, memoryLimit.bytes - (await memoryLimit.used())) : free
  const processes = Number(/^\S+ \S+ \S+ \d+\/(\d+)/.exec(loadavg)?.[1] ?? 0)
  return { memoryAvailable, nodeDisk, imageDisk, pidsAvailable: Number(pidMax) - processes, pidsMax: Number(pidMax) }
}

/** Where a group limits the whole machine. */
export interface MemoryLimit {
  readonly bytes: number
  used(): Promise<number>
}

/** What is short at this moment, with the words for it. */
export function shortages(signals: Signals): ReadonlyMap<Pressure, string> {
  const { memoryAvailable, nodeDisk, imageDisk, pidsAvailable, pidsMax } = signals
  const found = new Map<Pressure, string>()
  if (memoryAvailable < MEMORY_LEAST) found.set('memory', 'memory.available')
  const low = (disk: DiskSpace, least: number) => disk.available < disk.capacity * least
  const fewInodes = (disk: DiskSpace) => disk.inodes > 0 && disk.inodesFree < disk.inodes * INODES_LEAST
  if (low(nodeDisk, NODE_DISK_LEAST)) found.set('disk', 'nodefs.available')
  else if (low(imageDisk, IMAGE_DISK_LEAST)) found.set('disk', 'imagefs.available')
  else if (fewInodes(nodeDisk)) found.set('disk', 'nodefs.inodesFree')
  else if (fewInodes(imageDisk)) found.set('disk', 'imagefs.inodesFree')
  if (pidsAvailable < pidsMax * PIDS_LEAST) found.set('pid', 'pid.available')
  return found
}

/** Remembers pressures until they have been over for a while. */
export class PressureMemory {
  readonly #clock: Clock
  readonly #last = new Map<Pressure, number>()

  constructor(clock: Clock) {
    this.#clock = clock
  }

  observe(found: ReadonlyMap<Pressure, string>): void {
    for (const pressure of found.keys()) this.#last.set(pressure, this.#clock.now())
  }

  holds(pressure: Pressure): boolean {
    const last = this.#last.get(pressure)
    return last !== undefined && this.#clock.now() - last < TRANSITION
  }
}
