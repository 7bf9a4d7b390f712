/** The `helm` that the user has. Only versions that people still get are driven: 3.8 (registries without an experiment's flag) and 4. */
import { constants } from 'node:fs'
import { access } from 'node:fs/promises'
import { delimiter, join } from 'node:path'
import type { Clock } from '../../base/clock.ts'
import { FlotillaError, messageOf } from '../../base/errors.ts'
import { runToEnd } from './run.ts'

export interface HelmProgram {
  readonly path: string
  /** "v3.17.2" */
  readonly version: string
  readonly major: 3 | 4
}

const NAME = process.platform === 'win32' ? 'helm.exe' : 'helm'
/** Where package managers put it; a desktop app's PATH often lacks these. */
const USUAL =
  process.platform === 'win32' ? [] : ['/usr/local/bin', '/opt/homebrew/bin', '/home/linuxbrew/.linuxbrew/bin', '/snap/bin', '/usr/bin']

export interface Search {
  /** As in the environment. */
  readonly path: string
  /** Folders that are looked in after those of `path`. */
  readonly usual?: readonly string[]
  readonly clock: Clock
  readonly signal?: AbortSignal | undefined
}

/** Rejects with FlotillaError MISSING_REQUIREMENT where there is none, or none that can be driven. */
export async function findHelm({ path, usual = USUAL, ...options }: Search): Promise<HelmProgram> {
  for (const folder of new Set([...path.split(delimiter).filter(Boolean), ...usual])) {
    const file = join(folder, NAME)
    if (
      await access(file, constants.X_OK).then(
        () => true,
        () => false,
      )
    )
      return identify(file, options)
  }
  throw new FlotillaError('MISSING_REQUIREMENT', {
    what: 'There is no helm on this computer.',
    why: 'No folder of PATH has a program of that name.',
    next: `Install Helm 3.8 or newer: ${adviceFor(process.platform)}`,
  })
}

async function identify(path: string, options: Omit<Search, 'path' | 'usual'>): Promise<HelmProgram> {
  const { out, err, code } = await runToEnd(path, ['version', '--template', '{{.Version}}'], { env: process.env, ...options }).catch(
    (error: unknown) => ({ out: '', err: messageOf(error), code: null }),
  )
  const version = out.trim()
  const match = /^v(\d+)\.(\d+)\.\d+/.exec(version)
  const refuse = (why: string) =>
    new FlotillaError('MISSING_REQUIREMENT', {
      what: `${path} cannot be used.`,
      why,
      next: `Install Helm 3.8 or newer: ${adviceFor(process.platform)}`,
    })
  if (code !== 0 || !match) throw refuse(`It does not say its version: ${(err || out).trim().split('\n')[0] || `it ended with ${code}`}.`)
  const [major, minor] = [Number(match[1]), Number(match[2])]
  if (major === 4 || (major === 3 && minor >= 8)) return { path, version, major }
  throw refuse(`It is Helm ${version.slice(1)}; 3.8 or newer and 4 are known.`)
}

function adviceFor(platform: NodeJS.Platform): string {
  if (platform === 'darwin') return '"brew install helm".'
  if (platform === 'win32') return '"winget install Helm.Helm".'
  return 'your package manager may have it ("snap install helm --classic"), and helm.sh/docs/intro/install lists the other ways.'
}
