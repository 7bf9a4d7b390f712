/** The kernel's control groups, version 1 (a tree per controller) and 2 (one tree). Source: cgroups(7). */
import { mkdir, readdir, readFile, rmdir, statfs, writeFile } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import { systemCode } from '../../base/errors.ts'

/** Weights are those of v1's `cpu.shares`; absent or 0 means no limit. */
export interface GroupLimits {
  readonly cpuShares?: number
  /** Microseconds of each `cpuPeriod`. */
  readonly cpuQuota?: number
  readonly cpuPeriod?: number
  readonly memoryBytes?: number
  readonly pids?: number
}

export interface CgroupTree {
  readonly version: 1 | 2
  /** Makes the group, its parents, and sets its limits. Fails where the kernel or its mounts do not let us. */
  ensure(path: string, limits: GroupLimits): Promise<void>
  /** Removes the group and those below it; false while processes are in them. */
  remove(path: string): Promise<boolean>
  /** Names of the groups right below. */
  children(path: string): Promise<string[]>
}

/** `CGROUP2_SUPER_MAGIC` of statfs(2). */
const CGROUP2 = 0x63677270
/** Controllers that are set here; containers' runtimes make the rest of the trees. */
const V1_CONTROLLERS = ['cpu', 'memory', 'pids'] as const
const V2_CONTROLLERS = ['cpuset', 'cpu', 'io', 'memory', 'hugetlb', 'pids']

export async function openCgroups(top = '/sys/fs/cgroup'): Promise<CgroupTree> {
  const { type } = await statfs(top)
  return type === CGROUP2 ? new UnifiedTree(top) : new LegacyTree(top)
}

class LegacyTree implements CgroupTree {
  readonly version = 1
  readonly #top: string

  constructor(top: string) {
    this.#top = top
  }

  async ensure(path: string, limits: GroupLimits): Promise<void> {
    for (const controller of V1_CONTROLLERS) await mkdir(join(this.#top, controller, path), { recursive: true })
    const { cpuShares, cpuQuota = 0, cpuPeriod = 100_000, memoryBytes = 0, pids = 0 } = limits
    if (cpuShares !== undefined) await write(join(this.#top, 'cpu', path, 'cpu.shares'), cpuShares)
    await write(join(this.#top, 'cpu', path, 'cpu.cfs_period_us'), cpuPeriod)
    await write(join(this.#top, 'cpu', path, 'cpu.cfs_quota_us'), cpuQuota > 0 ? cpuQuota : -1)
    await write(join(this.#top, 'memory', path, 'memory.limit_in_bytes'), memoryBytes > 0 ? memoryBytes : -1)
    await write(join(this.#top, 'pids', path, 'pids.max'), pids > 0 ? pids : 'max')
  }

  async remove(path: string): Promise<boolean> {
    const controllers = await readdir(this.#top)
    const done = await Promise.all(controllers.map((controller) => removeTree(join(this.#top, controller, path))))
    return done.every(Boolean)
  }

  children(path: string): Promise<string[]> {
    return folders(join(this.#top, 'memory', path))
  }
}

class UnifiedTree implements CgroupTree {
  readonly version = 2
  readonly #top: string

  constructor(top: string) {
    this.#top = top
  }

  async ensure(path: string, limits: GroupLimits): Promise<void> {
    const folder = join(this.#top, path)
    await mkdir(folder, { recursive: true })
    const parents: string[] = []
    for (let parent = dirname(folder); parent.startsWith(this.#top); parent = dirname(parent)) parents.unshift(parent)
    for (const parent of [...parents, folder]) await enableControllers(parent)
    const { cpuShares, cpuQuota = 0, cpuPeriod = 100_000, memoryBytes = 0, pids = 0 } = limits
    if (cpuShares !== undefined) await write(join(folder, 'cpu.weight'), weightOf(cpuShares))
    await write(join(folder, 'cpu.max'), `${cpuQuota > 0 ? cpuQuota : 'max'} ${cpuPeriod}`)
    await write(join(folder, 'memory.max'), memoryBytes > 0 ? memoryBytes : 'max')
    await write(join(folder, 'pids.max'), pids > 0 ? pids : 'max')
  }

  remove(path: string): Promise<boolean> {
    return removeTree(join(this.#top, path))
  }

  children(path: string): Promise<string[]> {
    return folders(join(this.#top, path))
  }
}

/** From [2, 262144] to [1, 10000], as runc converts it. */
export function weightOf(shares: number): number {
  return 1 + Math.floor(((shares - 2) * 9999) / 262_142)
}

async function enableControllers(folder: string): Promise<void> {
  const available = (await readFile(join(folder, 'cgroup.controllers'), 'utf8')).trim().split(' ')
  const control = join(folder, 'cgroup.subtree_control')
  const enabled = (await readFile(control, 'utf8')).trim().split(' ')
  const missing = V2_CONTROLLERS.filter((name) => available.includes(name) && !enabled.includes(name))
  if (missing.length) await writeFile(control, missing.map((name) => `+${name}`).join(' '))
}

async function write(file: string, value: number | string): Promise<void> {
  try {
    await writeFile(file, String(value))
  } catch (error) {
    // A kernel without this controller: there is nothing to limit with.
    if (systemCode(error) !== 'ENOENT') throw error
  }
}

async function removeTree(folder: string): Promise<boolean> {
  let empty = true
  for (const child of await folders(folder)) empty = (await removeTree(join(folder, child))) && empty
  if (!empty) return false
  try {
    await rmdir(folder)
    return true
  } catch (error) {
    if (systemCode(error) === 'EBUSY') return false
    if (systemCode(error) === 'ENOENT' || systemCode(error) === 'ENOTDIR') return true
    throw error
  }
}

async function folders(path: string): Promise<string[]> {
  const entries = await readdir(path, { withFileTypes: true }).catch((error: unknown) => {
    if (systemCode(error) === 'ENOENT' || systemCode(error) === 'ENOTDIR') return []
    throw error
  })
  return entries.filter((entry) => entry.isDirectory()).map(({ name }) => name)
}
