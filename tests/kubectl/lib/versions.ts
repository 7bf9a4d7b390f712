/** The kubectls to run: Debian's of old, and one of today. */
import { spawnSync } from 'node:child_process'
import { existsSync } from 'node:fs'
import { DEBIAN_PACKAGE, kubectlPath } from '../../../scripts/kubectl.ts'
import type { Minor } from './transcript.ts'

export interface Kubectl {
  readonly path: string
  readonly minor: Minor
}

export interface Lack {
  readonly name: string
  readonly needs: string
}

/** KUBECTLS names others, by their paths, separated by commas. */
export function findKubectls(given = process.env['KUBECTLS']): { found: Kubectl[]; lacks: Lack[] } {
  if (given) return { found: given.split(',').map(inspect), lacks: [] }
  const [old, today] = [kubectlPath('debian'), kubectlPath('1.32')]
  return {
    found: [...(existsSync(old) ? [inspect(old)] : []), inspect(existsSync(today) ? today : 'kubectl')],
    lacks: existsSync(old) ? [] : [{ name: 'kubectl 1.20', needs: `the Debian package ${DEBIAN_PACKAGE}` }],
  }
}

function inspect(path: string): Kubectl {
  const { stdout, error } = spawnSync(path, ['version', '--client', '-o', 'json'], { encoding: 'utf8' })
  const minor = /"minor":\s*"(\d+)/.exec(stdout ?? '')?.[1]
  if (minor === undefined) throw new Error(`${path} does not say its version`, { cause: error })
  return { path, minor: Number(minor) }
}
