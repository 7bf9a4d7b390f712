/** The control groups of a sandbox, in every hierarchy that this computer has. Source: cgroups(7), the kernel's cgroup-v1 and cgroup-v2 pages. */
import { mkdir, readdir, readFile, rmdir, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { sleep, type Clock } from '../../base/clock.ts'
import { FlotillaError, systemCode } from '../../base/errors.ts'

export interface Hierarchy {
  readonly version: 1 | 2
  /** "/sys/fs/cgroup/memory", or "/sys/fs/cgroup" where there is only version 2. */
  readonly mount: string
  /** Version 1: the mount options that name it: "memory", "cpu,cpuacct", "none,name=systemd". */
  readonly options: string
}

/** Reads the text of /proc/mounts. */
export function parseHierarchies(mounts: string): Hierarchy[] {
  const seen = new Set<string>()
  return mounts.split('\n').flatMap((line): Hierarchy[] => {
    const [, mount = '', type, flags = ''] = line.split(' ')
    if ((type !== 'cgroup' && type !== 'cgroup2') || seen.has(mount) || !mount.startsWith('/sys/fs/cgroup')) return []
    seen.add(mount)
    if (type === 'cgroup2') return [{ version: 2, mount, options: '' }]
    const options = flags.split(',').filter((flag) => !/^(rw|ro|nosuid|nodev|noexec|relatime|noatime|xattr|release_agent=.*)$/.test(flag))
    return [{ version: 1, mount, options: options.some((o) => o.startsWith('name=')) ? `none,${options.join(',')}` : options.join(',') }]
  })
}

export async function hierarchies(): Promise<Hierarchy[]> {
  return parseHierarchies(await readFile('/proc/mounts', 'utf8'))
}

/** Controllers that pods need where there is only version 2. */
const CONTROLLERS = ['cpu', 'cpuset', 'io', 'memory', 'pids']

/** Files that a process writes its PID into. */
export interface GroupEntries {
  /** The groups that a sandbox sees as its roots. */
  readonly roots: readonly string[]
  /** To be entered once the control group namespace exists: version 2 gives controllers only below groups without processes. */
  readonly leaves: readonly string[]
}

/** Where processes of version 2 live, below the root that the sandbox sees. */
const LEAF = 'init'

/** Makes the groups `parent/name` with their limits. Safe to call again. */
export async function makeGroups(
  all: readonly Hierarchy[],
  parent: string,
  name: string,
  limits: { memoryBytes?: number },
): Promise<GroupEntries> {
  for (const hierarchy of all) {
    let from = hierarchy.mount
    for (const part of [parent, name]) {
      const group = join(from, part)
      if (hierarchy.version === 2) await delegate(from)
      await mkdir(group, { recursive: true })
      if (hierarchy.version === 1 && has(hierarchy, 'cpuset')) await inheritCpuset(from, group)
      from = group
    }
    if (limits.memoryBytes !== undefined) await limitMemory(hierarchy, from, limits.memoryBytes)
  }
  const unified = all.filter((hierarchy) => hierarchy.version === 2)
  for (const { mount } of unified) await mkdir(join(mount, parent, name, LEAF), { recursive: true })
  return {
    roots: all.map(({ mount }) => join(mount, parent, name, 'cgroup.procs')),
    leaves: unified.map(({ mount }) => join(mount, parent, name, LEAF, 'cgroup.procs')),
  }
}

/** Lets the groups below `group` have the controllers that it has. */
async function delegate(group: string): Promise<void> {
  const available = (await readFile(join(group, 'cgroup.controllers'), 'utf8')).trim().split(/\s+/)
  const wanted = CONTROLLERS.filter((controller) => available.includes(controller))
  if (wanted.length) await writeFile(join(group, 'cgroup.subtree_control'), wanted.map((controller) => `+${controller}`).join(' '))
}

/** A cpuset of version 1 begins empty and takes no process until it has CPUs and memory nodes. */
async function inheritCpuset(from: string, group: string): Promise<void> {
  for (const file of ['cpuset.cpus', 'cpuset.mems']) {
    const own = await readFile(join(group, file), 'utf8')
    if (!own.trim()) await writeFile(join(group, file), (await readFile(join(from, file), 'utf8')).trim())
  }
  await writeFile(join(group, 'cgroup.clone_children'), '1')
}

async function limitMemory(hierarchy: Hierarchy, group: string, bytes: number): Promise<void> {
  if (hierarchy.version === 2) {
    await writeFile(join(group, 'memory.max'), String(bytes)).catch(ignoreMissing)
    await writeFile(join(group, 'memory.swap.max'), '0').catch(ignoreMissing)
  } else if (has(hierarchy, 'memory')) {
    await writeFile(join(group, 'memory.limit_in_bytes'), String(bytes))
    await writeFile(join(group, 'memory.memsw.limit_in_bytes'), String(bytes)).catch(ignoreMissing)
  }
}

const has = (hierarchy: Hierarchy, controller: string) => hierarchy.options.split(',').includes(controller)

function ignoreMissing(error: unknown): void {
  if (!['ENOENT', 'EACCES'].includes(systemCode(error) ?? '')) throw error
}

/** Removes `group` (below the mounts) with all that is in it. Its processes must be dead; those that are not yet gone are waited for. */
export async function removeGroups(all: readonly Hierarchy[], group: string, clock: Clock): Promise<void> {
  for (const hierarchy of all) {
    const path = join(hierarchy.mount, group)
    for (let attempt = 0; ; attempt++) {
      try {
        await removeTree(path)
        break
      } catch (error) {
        if (systemCode(error) !== 'EBUSY' || attempt >= 100) throw stuck(path, error)
        await sleep(clock, 50)
      }
    }
  }
}

async function removeTree(path: string): Promise<void> {
  let entries
  try {
    entries = await readdir(path, { withFileTypes: true })
  } catch (error) {
    if (systemCode(error) === 'ENOENT') return
    throw error
  }
  for (const entry of entries) if (entry.isDirectory()) await removeTree(join(path, entry.name))
  await rmdir(path).catch((error: unknown) => {
    if (systemCode(error) !== 'ENOENT') throw error
  })
}

function stuck(path: string, cause: unknown): FlotillaError {
  return new FlotillaError('INTERNAL', {
    what: `The control group ${path} could not be removed.`,
    why: 'Something still runs in it.',
    next: 'End what runs there and remove the machine again.',
    cause,
  })
}
