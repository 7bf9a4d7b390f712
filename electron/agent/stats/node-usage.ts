/** What the whole machine uses, as the kernel counts it. */
import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { meminfoBytes } from '../kubelet/node/machine.ts'
import { groupMemory } from '../kubelet/node/memory-limit.ts'

export interface NodeUsage {
  /** Nanoseconds since the machine began. */
  readonly cpuNanoSeconds: number
  readonly memoryBytes: number
  readonly workingSetBytes: number
  readonly rssBytes: number
  readonly network: readonly InterfaceUsage[]
}

export interface InterfaceUsage {
  readonly name: string
  readonly rxBytes: number
  readonly rxErrors: number
  readonly txBytes: number
  readonly txErrors: number
}

const TOP = '/sys/fs/cgroup'
/** Units of /proc/stat: a hundredth of a second (USER_HZ). */
const TICK = 10_000_000

/** From the groups' root, which is the machine's own where it is itself in a group of another. */
export async function readNodeUsage(top = TOP): Promise<NodeUsage> {
  const [cpu, memory, meminfo, network] = await Promise.all([
    cpuTime(top),
    groupMemory(top),
    readFile('/proc/meminfo', 'utf8'),
    readFile('/proc/net/dev', 'utf8'),
  ])
  const total = meminfoBytes(meminfo, 'MemTotal') ?? 0
  const free = meminfoBytes(meminfo, 'MemFree') ?? 0
  const available = meminfoBytes(meminfo, 'MemAvailable') ?? 0
  return {
    cpuNanoSeconds: cpu,
    memoryBytes: memory?.usage ?? total - free,
    workingSetBytes: memory?.workingSet ?? total - available,
    rssBytes: memory?.rss ?? meminfoBytes(meminfo, 'AnonPages') ?? 0,
    network: parseNetDev(network),
  }
}

async function cpuTime(top: string): Promise<number> {
  const legacy = await readFile(join(top, 'cpuacct/cpuacct.usage'), 'utf8').catch(() => null)
  if (legacy !== null) return Number(legacy)
  const unified = await readFile(join(top, 'cpu.stat'), 'utf8').catch(() => '')
  const micros = /^usage_usec (\d+)$/m.exec(unified)?.[1]
  if (micros !== undefined) return Number(micros) * 1000
  const [, user = '0', nice = '0', system = '0'] = /^cpu +(\d+) (\d+) (\d+)/m.exec(await readFile('/proc/stat', 'utf8')) ?? []
  return (Number(user) + Number(nice) + Number(system)) * TICK
}

/** Source: proc(5), /proc/net/dev. */
export function parseNetDev(text: string): InterfaceUsage[] {
  return text
    .split('\n')
    .slice(2)
    .map((line) => line.trim().split(/[:\s]+/))
    .filter((fields) => fields.length > 11 && fields[0] !== 'lo')
    .map(([name = '', rxBytes, , rxErrors, , , , , , txBytes, , txErrors]) => ({
      name,
      rxBytes: Number(rxBytes),
      rxErrors: Number(rxErrors),
      txBytes: Number(txBytes),
      txErrors: Number(txErrors),
    }))
}
