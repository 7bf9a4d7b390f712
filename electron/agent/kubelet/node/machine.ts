/** What this machine is: its processors, memory, kernel and identity, read once. */
import { readFile, statfs } from 'node:fs/promises'
import { arch, cpus, release } from 'node:os'
import type { NodeSystemInfo } from '../../../api/core/v1/types.gen.ts'
import type { RuntimeVersion } from '../../runtime/cri-types.ts'

export interface Machine {
  readonly cpus: number
  /** Bytes. */
  readonly memoryBytes: number
  readonly bootId: string
  readonly machineId: string
  readonly systemUuid: string
  readonly kernelVersion: string
  /** "Debian GNU/Linux 12 (bookworm)" */
  readonly osImage: string
  /** As Go names it: "amd64". */
  readonly architecture: string
}

const ARCHITECTURES: Readonly<Record<string, string>> = { x64: 'amd64', ia32: '386' }

/** `memoryLimitBytes` where a group of the machine's own limits what the kernel tells. */
export async function readMachine(memoryLimitBytes?: number): Promise<Machine> {
  const [meminfo, bootId, machineId, systemUuid, osRelease] = await Promise.all([
    readFile('/proc/meminfo', 'utf8'),
    text('/proc/sys/kernel/random/boot_id'),
    text('/etc/machine-id'),
    text('/sys/class/dmi/id/product_uuid'),
    text('/etc/os-release'),
  ])
  const total = meminfoBytes(meminfo, 'MemTotal') ?? 0
  return {
    cpus: cpus().length,
    memoryBytes: memoryLimitBytes === undefined ? total : Math.min(total, memoryLimitBytes),
    bootId,
    machineId,
    systemUuid: systemUuid || machineId,
    kernelVersion: release(),
    osImage: /^PRETTY_NAME="?([^"\n]*)"?$/m.exec(osRelease)?.[1] ?? 'Linux',
    architecture: ARCHITECTURES[arch()] ?? arch(),
  }
}

export function nodeInfo(machine: Machine, runtime: RuntimeVersion, kubeletVersion: string): NodeSystemInfo {
  return {
    architecture: machine.architecture,
    bootID: machine.bootId,
    containerRuntimeVersion: `${runtime.name}://${runtime.version}`,
    kernelVersion: machine.kernelVersion,
    kubeProxyVersion: '',
    kubeletVersion,
    machineID: machine.machineId,
    operatingSystem: 'linux',
    osImage: machine.osImage,
    systemUUID: machine.systemUuid,
  }
}

/** Bytes of a line of /proc/meminfo. */
export function meminfoBytes(meminfo: string, name: string): number | undefined {
  const match = new RegExp(`^${name}:\\s+(\\d+) kB$`, 'm').exec(meminfo)
  return match ? Number(match[1]) * 1024 : undefined
}

export interface DiskSpace {
  /** Bytes and files. */
  readonly capacity: number
  readonly available: number
  readonly inodes: number
  readonly inodesFree: number
}

export async function diskSpace(path: string): Promise<DiskSpace> {
  const { bsize, blocks, bavail, files, ffree } = await statfs(path)
  return { capacity: bsize * blocks, available: bsize * bavail, inodes: files, inodesFree: ffree }
}

async function text(path: string): Promise<string> {
  return readFile(path, 'utf8').then(
    (content) => content.trim(),
    () => '',
  )
}
