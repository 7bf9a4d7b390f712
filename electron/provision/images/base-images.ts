/** The images that every machine gets when it is set up. */
import { PAUSE_IMAGE } from '../../api/infra/v1alpha1/agent-config.ts'
import type { Shell } from '../ssh/exec.ts'
import { BUSYBOX_PATHS, findBusybox, staticArchitecture } from './busybox.ts'
import { DEMO_IMAGE, demoArchive } from './demo-image.ts'
import type { Architecture } from './elf.ts'
import { imagesOf, importImage } from './import.ts'
import { pauseArchive } from './pause-image.ts'

/** A static busybox is a few megabytes; more is something else. */
const BUSYBOX_LIMIT = 16 << 20

/**
 * Imports what is missing: the pause image always, the demo image if there is a static busybox on this computer or the machine.
 * Returns the names that the machine has then.
 */
export async function loadBaseImages(
  root: Shell,
  options: { machine: string; architecture: Architecture; signal: AbortSignal; detail(text: string): void },
): Promise<string[]> {
  const { machine, architecture, signal } = options
  const there = await imagesOf(root, signal)
  if (!there.has(PAUSE_IMAGE)) await importImage(root, await pauseArchive(), { machine, signal })
  if (there.has(DEMO_IMAGE)) return [PAUSE_IMAGE, DEMO_IMAGE]
  const busybox = (await findBusybox(architecture)) ?? (await fetchBusybox(root, architecture, signal))
  if (!busybox) return [PAUSE_IMAGE]
  options.detail(`importing ${DEMO_IMAGE}`)
  await importImage(root, await demoArchive(architecture, busybox), { machine, signal })
  return [PAUSE_IMAGE, DEMO_IMAGE]
}

async function fetchBusybox(root: Shell, architecture: Architecture, signal: AbortSignal): Promise<Uint8Array | null> {
  const chunks: Buffer[] = []
  const find = `for file in ${BUSYBOX_PATHS.join(' ')}; do [ -f $file ] && [ "$(wc -c < $file)" -lt ${BUSYBOX_LIMIT} ] && exec cat $file; done`
  await root.exec(find, { signal, onStdout: (chunk) => void chunks.push(chunk) })
  const program = Buffer.concat(chunks)
  return staticArchitecture(program) === architecture ? program : null
}
