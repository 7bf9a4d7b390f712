import { PAUSE_IMAGE } from '../../api/infra/v1alpha1/agent-config.ts'
import { imageArchive } from './archive.ts'
import type { Architecture } from './elf.ts'
import { pauseProgram } from './pause-program.ts'

const ARCHITECTURES: readonly Architecture[] = ['amd64', 'arm64']

/** The tar of `PAUSE_IMAGE` for every architecture that Flotilla knows; a few kilobytes. */
export function pauseArchive(): Promise<Uint8Array> {
  return imageArchive(
    PAUSE_IMAGE,
    ARCHITECTURES.map((architecture) => ({
      architecture,
      entries: [{ path: 'pause', mode: 0o755, content: pauseProgram(architecture) }],
      entrypoint: ['/pause'],
      user: '65534:65534',
    })),
  )
}
