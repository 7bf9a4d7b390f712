import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import type { UnitFiles } from './steps/configure.ts'

/** Reads `resources/units`. */
export async function readUnits(dir: string): Promise<UnitFiles> {
  const read = (name: string) => readFile(join(dir, name), 'utf8')
  const [containerdUnit, agentUnit, services, uninstall] = await Promise.all([
    read('flotilla-containerd.service'),
    read('flotilla-agent.service'),
    read('flotilla-services'),
    read('flotilla-uninstall'),
  ])
  return { containerdUnit, agentUnit, services, uninstall }
}
