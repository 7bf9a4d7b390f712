/** Whether this computer can build a machine image. */
import { existsSync } from 'node:fs'
import { FlotillaError } from '../../base/errors.ts'

export interface BuildTools {
  readonly platform: NodeJS.Platform
  readonly uid: number | undefined
  exists(path: string): boolean
}

const here: BuildTools = { platform: process.platform, uid: process.getuid?.(), exists: existsSync }

const NEEDED: readonly { readonly program: string; readonly package: string }[] = [
  { program: 'mmdebstrap', package: 'mmdebstrap' },
  { program: 'mke2fs', package: 'e2fsprogs' },
  { program: 'qemu-img', package: 'qemu-utils' },
  { program: 'tar', package: 'tar' },
]

/** Null if it can, else what is missing and how to get it. */
export function imageBuildSupport(tools: BuildTools = here): FlotillaError | null {
  const what = 'A machine image cannot be built on this computer.'
  if (tools.platform !== 'linux')
    return new FlotillaError('UNSUPPORTED', {
      what,
      why: 'It is built from Debian packages with programs that only Linux has.',
      next: 'Use a cloud image: `flotilla image pull-machine URL --sha256 SUM`, or copy one that was built on Linux.',
    })
  const needed = tools.uid === 0 ? NEEDED : [...NEEDED, { program: 'newuidmap', package: 'uidmap' }]
  const dirs = ['/usr/bin', '/usr/sbin', '/bin', '/sbin', '/usr/local/bin', '/usr/local/sbin']
  const missing = needed.filter(({ program }) => !dirs.some((dir) => tools.exists(`${dir}/${program}`)))
  if (missing.length === 0) return null
  return new FlotillaError('MISSING_REQUIREMENT', {
    what,
    why: `It lacks ${missing.map(({ program }) => program).join(', ')}.`,
    next: `On Debian and Ubuntu: apt-get install ${missing.map((one) => one.package).join(' ')}. Or use a cloud image.`,
  })
}
