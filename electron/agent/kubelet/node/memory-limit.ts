/** Memory of a machine that is itself in a group of the kernel's, seen from inside it. */
import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import type { MemoryLimit } from './pressure.ts'

const TOP = '/sys/fs/cgroup'

export async function memoryLimitOf(bytes: number, top = TOP): Promise<MemoryLimit> {
  return { bytes, used: async () => (await groupMemory(top))?.workingSet ?? 0 }
}

export interface GroupMemory {
  /** Bytes. */
  readonly usage: number
  /** Without what the kernel can drop at once. */
  readonly workingSet: number
  readonly rss: number
}

/** Of a group's folder (v2) or of the tree's memory hierarchy (v1); null where the kernel counts none, as at v2's root. */
export async function groupMemory(folder: string): Promise<GroupMemory | null> {
  const v1 = join(folder, 'memory')
  const legacy = await read(join(v1, 'memory.usage_in_bytes'))
  if (legacy !== null) {
    const stat = parse(await read(join(v1, 'memory.stat')))
    return {
      usage: Number(legacy),
      workingSet: Math.max(0, Number(legacy) - (stat.get('total_inactive_file') ?? 0)),
      rss: stat.get('total_rss') ?? 0,
    }
  }
  const current = await read(join(folder, 'memory.current'))
  if (current === null) return null
  const stat = parse(await read(join(folder, 'memory.stat')))
  return { usage: Number(current), workingSet: Math.max(0, Number(current) - (stat.get('inactive_file') ?? 0)), rss: stat.get('anon') ?? 0 }
}

async function read(path: string): Promise<string | null> {
  return readFile(path, 'utf8').catch(() => null)
}

function parse(stat: string | null): Map<string, number> {
  const lines = (stat ?? '').split('\n').map((line) => line.split(' '))
  return new Map(lines.map(([name = '', value]) => [name, Number(value)]))
}
