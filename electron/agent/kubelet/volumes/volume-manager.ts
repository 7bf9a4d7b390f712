/** The volumes of this node's pods: made ready before their containers, renewed while they run, and taken away after them. */
import { mkdir, readdir, rm } from 'node:fs/promises'
import { join } from 'node:path'
import { Mutex } from '../../../base/async.ts'
import { messageOf, systemCode } from '../../../base/errors.ts'
import type { Pod, Volume, VolumeMount } from '../../../api/core/v1/types.gen.ts'
import type { PayloadInput } from './payload.ts'
import { mountSubPath } from './sub-path.ts'
import { imageViewKey, setUpVolume } from './volume-plugins.ts'
import type { MountedVolume, VolumeDeps } from './volume-plugins.ts'

export interface VolumeFailure {
  readonly volume: string
  readonly message: string
}

export class VolumesError extends Error {
  override readonly name = 'VolumesError'
  readonly failures: readonly VolumeFailure[]

  constructor(failures: readonly VolumeFailure[]) {
    super(failures.map(({ volume, message }) => `MountVolume.SetUp failed for volume "${volume}" : ${message}`).join('; '))
    this.failures = failures
  }
}

/** Types of which the files follow the API. */
const FOLLOWING: readonly (keyof Volume)[] = ['configMap', 'secret', 'downwardAPI', 'projected']

export class VolumeManager {
  readonly #deps: VolumeDeps
  readonly #pods = new Map<string, { lock: Mutex; mounted: Map<string, MountedVolume> }>()

  constructor(deps: VolumeDeps) {
    this.#deps = deps
  }

  /** Makes those volumes ready that containers of the pod use and that are not yet. Throws VolumesError that names each that fails. */
  async setUp(input: PayloadInput): Promise<void> {
    const entry = this.#entry(input.pod.metadata.uid)
    const used = usedVolumes(input.pod)
    const volumes = (input.pod.spec.volumes ?? []).filter(({ name }) => used.has(name) && !entry.mounted.has(name))
    if (volumes.length) await this.#run(input, volumes)
  }

  /** Brings the files that follow the API up to date. */
  async refresh(input: PayloadInput): Promise<void> {
    const entry = this.#pods.get(input.pod.metadata.uid)
    const volumes = (input.pod.spec.volumes ?? []).filter(
      (volume) => entry?.mounted.has(volume.name) && FOLLOWING.some((type) => volume[type] !== undefined),
    )
    await this.#run(input, volumes)
  }

  mounted(uid: string, volume: string): MountedVolume | undefined {
    return this.#pods.get(uid)?.mounted.get(volume)
  }

  /** Mounts a part of a volume for one mount of one container; returns its path. */
  async subPath(pod: Pod, container: string, index: number, mount: VolumeMount, path: string): Promise<string> {
    const { uid } = pod.metadata
    const volume = this.mounted(uid, mount.name)
    if (!volume) throw new Error(`volume "${mount.name}" is not mounted`)
    const target = this.#deps.paths.subPath(uid, mount.name, container, index)
    const input = { volume: volume.path, path, writable: !volume.readOnly, target }
    return this.#entry(uid).lock.run(() => mountSubPath(input, this.#deps.mounts))
  }

  /** Unmounts and removes the pod's volumes; throws Error while something is still mounted. */
  async tearDown(uid: string): Promise<void> {
    const { paths, mounts } = this.#deps
    await this.#entry(uid).lock.run(async () => {
      for (const folder of ['volume-subpaths', 'volumes']) {
        const path = join(paths.pod(uid), folder)
        for (const point of await mounts.below(path)) await mounts.unmount(point)
        // Below a mount lies what is not the pod's: never removed.
        const left = await mounts.below(path)
        if (left.length) throw new Error(`could not unmount ${left.join(', ')}`)
        for (const name of folder === 'volumes' ? await namesIn(join(path, 'kubernetes.io~image')) : [])
          await this.#deps.images.remove(imageViewKey(uid, name))
        await rm(path, { recursive: true, force: true })
      }
    })
    this.#pods.delete(uid)
  }

  /** After `tearDown`: the rest of the pod's folder. */
  async remove(uid: string): Promise<void> {
    const path = this.#deps.paths.pod(uid)
    for (const point of await this.#deps.mounts.below(path)) await this.#deps.mounts.unmount(point)
    await rm(path, { recursive: true, force: true })
  }

  /** Pods that have a folder, whether they are known or not. */
  async found(): Promise<string[]> {
    return namesIn(this.#deps.paths.root)
  }

  async #run(input: PayloadInput, volumes: readonly Volume[]): Promise<void> {
    const { uid } = input.pod.metadata
    const entry = this.#entry(uid)
    await entry.lock.run(async () => {
      await mkdir(this.#deps.paths.pod(uid), { recursive: true, mode: 0o750 })
      const failures: VolumeFailure[] = []
      const setUp = async (volume: Volume) => {
        try {
          entry.mounted.set(volume.name, await setUpVolume(volume, input, this.#deps))
        } catch (error) {
          failures.push({ volume: volume.name, message: messageOf(error) })
        }
      }
      await Promise.all(volumes.map(setUp))
      if (failures.length) throw new VolumesError(failures)
    })
  }

  #entry(uid: string) {
    let entry = this.#pods.get(uid)
    if (!entry) this.#pods.set(uid, (entry = { lock: new Mutex(), mounted: new Map() }))
    return entry
  }
}

function usedVolumes({ spec }: Pod): Set<string> {
  const containers = [...spec.containers, ...(spec.initContainers ?? []), ...(spec.ephemeralContainers ?? [])]
  return new Set(containers.flatMap(({ volumeMounts = [] }) => volumeMounts.map(({ name }) => name)))
}

async function namesIn(folder: string): Promise<string[]> {
  return readdir(folder).catch((error: unknown) => {
    if (systemCode(error) === 'ENOENT') return []
    throw error
  })
}
