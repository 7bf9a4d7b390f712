/** Building the image of virtual machines without a running plane. */
import { join } from 'node:path'
import type { Clock } from '../base/clock.ts'
import type { Random } from '../base/random.ts'
import type { BuildProgress } from '../provision/machine-image/build.ts'
import type { DownloadProgress } from '../provision/machine-image/download.ts'
import { machineImagesFor, type MachineImage } from '../provision/machine-image/images.ts'
import { LocalFiles } from '../provision/steps/runtime.ts'

export interface ImageDeps {
  readonly stateDir: string
  readonly runtimeDirs: readonly string[]
  readonly clock: Clock
  readonly random: Random
  readonly signal: AbortSignal
}

const imagesOf = ({ stateDir, runtimeDirs, random }: ImageDeps) =>
  machineImagesFor({ stateDir, runtimeDirs, random, localFiles: new LocalFiles(join(stateDir, 'cache')) })

/** Our own; built if it was not. `fresh`: whether that was done now. */
export async function buildOwnImage(
  deps: ImageDeps,
  onProgress: (progress: BuildProgress) => void,
): Promise<MachineImage & { fresh: boolean }> {
  const images = imagesOf(deps)
  const there = await images.own()
  if (there) return { ...there, fresh: false }
  return { ...(await images.ensureOwn({ signal: deps.signal, now: deps.clock.now(), onProgress })), fresh: true }
}

export async function pullCloudImage(
  deps: ImageDeps,
  image: { url: string; sha256: string },
  onProgress: (progress: DownloadProgress) => void,
): Promise<MachineImage> {
  return await imagesOf(deps).ensureCloud(image, { signal: deps.signal, onProgress })
}
