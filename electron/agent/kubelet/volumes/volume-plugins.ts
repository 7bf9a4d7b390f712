/** How each type of volume is made ready. */
import { chmod, mkdir, stat } from 'node:fs/promises'
import { systemCode } from '../../../base/errors.ts'
import type { PersistentVolumeSpec, Pod, Volume } from '../../../api/core/v1/types.gen.ts'
import { toUnits } from '../../../api/values/quantity.ts'
import type { ImageViews } from '../../runtime/image-view.ts'
import { bytesOf } from '../containers/resources.ts'
import { writeAtomicSet } from './atomic-writer.ts'
import { checkHostPath } from './host-path.ts'
import type { Mounts } from './mounts.ts'
import { belongsTo, giveToGroup } from './ownership.ts'
import { payloadOf } from './payload.ts'
import type { PayloadInput } from './payload.ts'
import type { PodPaths } from './pod-paths.ts'

export interface MountedVolume {
  readonly path: string
  /** Whatever the container asks for. */
  readonly readOnly: boolean
}

export interface VolumeDeps {
  readonly paths: PodPaths
  readonly mounts: Mounts
  readonly images: ImageViews
  /** Makes sure that the image of a volume is there; returns the chain id of its layers. */
  readonly pullVolumeImage: (pod: Pod, reference: string, policy: string) => Promise<string>
  /** What a claim of the pod's namespace is bound to. */
  readonly claim: (pod: Pod, name: string) => Promise<PersistentVolumeSpec>
  readonly now: () => number
}

/** Milliseconds since the epoch and the like come with `deps`; throws Error with kubelet's words. Safe to repeat. */
export async function setUpVolume(volume: Volume, input: PayloadInput, deps: VolumeDeps): Promise<MountedVolume> {
  const { pod } = input
  const { uid } = pod.metadata
  const { paths, mounts } = deps
  const { name, emptyDir, hostPath, image, persistentVolumeClaim, ephemeral, nfs } = volume
  if (emptyDir) return setUpEmptyDir(volume, pod, input.allocatable, deps)
  if (hostPath) {
    await checkHostPath(hostPath)
    return { path: hostPath.path, readOnly: false }
  }
  if (image) {
    const path = paths.volume(uid, 'image', name)
    const chainId = await deps.pullVolumeImage(pod, image.reference ?? '', image.pullPolicy ?? 'IfNotPresent')
    await mountOnce(path, mounts, async () => {
      for (const mount of await deps.images.view(imageViewKey(uid, name), chainId))
        await mounts.mount(mount.type, mount.source, path, [...mount.options, ...(mount.options.includes('ro') ? [] : ['ro'])])
    })
    return { path, readOnly: true }
  }
  if (nfs) {
    const path = paths.volume(uid, 'nfs', name)
    await mountOnce(path, mounts, () => mounts.mount('nfs', `${nfs.server}:${nfs.path}`, path, nfs.readOnly ? ['ro'] : []))
    return { path, readOnly: nfs.readOnly ?? false }
  }
  const claimName = persistentVolumeClaim?.claimName ?? (ephemeral ? `${pod.metadata.name}-${name}` : undefined)
  if (claimName !== undefined) return setUpClaim(volume, claimName, input, deps)
  return setUpFiles(volume, input, deps)
}

export function imageViewKey(uid: string, volume: string): string {
  return `flotilla-volume-${uid}-${volume}`
}

/** configMap, secret, downwardAPI and projected. */
async function setUpFiles(volume: Volume, input: PayloadInput, deps: VolumeDeps): Promise<MountedVolume> {
  const { pod } = input
  const type = Object.keys(volume).find((key) => key !== 'name') ?? 'unknown'
  const payload = await payloadOf(volume, input)
  if (!payload) throw new Error(`volumes of type ${type} are not supported by this node`)
  const path = deps.paths.volume(
    pod.metadata.uid,
    type === 'configMap' ? 'configmap' : type === 'downwardAPI' ? 'downward-api' : type,
    volume.name,
  )
  // What is secret never reaches the disk.
  const inMemory = type === 'secret' || type === 'projected'
  if (inMemory) await mountOnce(path, deps.mounts, () => deps.mounts.mount('tmpfs', 'tmpfs', path, ['mode=0777', 'size=64m']))
  else await makeFolder(path)
  const group = pod.spec.securityContext?.fsGroup
  await writeAtomicSet(path, payload, deps.now(), async (folder) => {
    if (group !== undefined) await giveToGroup(folder, group, true)
  })
  return { path, readOnly: true }
}

async function setUpEmptyDir(
  { name, emptyDir }: Volume,
  pod: Pod,
  allocatable: Readonly<Record<string, string>>,
  { paths, mounts }: VolumeDeps,
): Promise<MountedVolume> {
  const path = paths.volume(pod.metadata.uid, 'empty-dir', name)
  const medium = emptyDir?.medium ?? ''
  if (medium === 'Memory') {
    const size = memorySize(pod, emptyDir?.sizeLimit, allocatable)
    await mountOnce(path, mounts, () => mounts.mount('tmpfs', 'tmpfs', path, ['mode=0777', ...(size > 0 ? [`size=${size}`] : [])]))
  } else if (medium.startsWith('HugePages')) {
    const pageSize = medium.slice('HugePages-'.length).replace('i', '')
    await mountOnce(path, mounts, () =>
      mounts.mount('hugetlbfs', 'nodev', path, ['mode=0777', ...(pageSize ? [`pagesize=${pageSize}`] : [])]),
    )
  } else await makeFolder(path)
  const group = pod.spec.securityContext?.fsGroup
  if (group !== undefined && !(await belongsTo(path, group))) await giveToGroup(path, group, false)
  return { path, readOnly: false }
}

/** Bytes: the limit of the volume, of the pod if all its containers have one, or of the node; the smallest of them. */
function memorySize(pod: Pod, sizeLimit: string | undefined, allocatable: Readonly<Record<string, string>>): number {
  const limits = pod.spec.containers.map(({ resources }) => bytesOf(resources.limits?.['memory']))
  const sizes = [
    sizeLimit === undefined ? 0 : toUnits(sizeLimit),
    limits.every((limit) => limit > 0) ? limits.reduce((a, b) => a + b, 0) : 0,
    bytesOf(allocatable['memory']),
  ]
  const known = sizes.filter((size) => size > 0)
  return known.length ? Math.min(...known) : 0
}

async function setUpClaim(volume: Volume, claimName: string, input: PayloadInput, deps: VolumeDeps): Promise<MountedVolume> {
  const { pod } = input
  const spec = await deps.claim(pod, claimName)
  const readOnly = volume.persistentVolumeClaim?.readOnly ?? false
  const { hostPath, local, nfs } = spec
  if (nfs) {
    const mounted = await setUpVolume({ name: volume.name, nfs: { ...nfs, readOnly: nfs.readOnly || readOnly } }, input, deps)
    return { ...mounted, readOnly: mounted.readOnly || readOnly }
  }
  const path = hostPath?.path ?? local?.path
  if (path === undefined) {
    const type = Object.keys(spec).find((key) => typeof spec[key as keyof PersistentVolumeSpec] === 'object' && !PV_FIELDS.has(key))
    throw new Error(`persistent volumes of type ${type ?? 'unknown'} are not supported by this node`)
  }
  if (hostPath) await checkHostPath(hostPath)
  if (local) await stat(path).catch((error: unknown) => Promise.reject(missing(error, path)))
  const group = pod.spec.securityContext?.fsGroup
  if (local && group !== undefined && !readOnly && !(await belongsTo(path, group))) await giveToGroup(path, group, false)
  return { path, readOnly }
}

function missing(error: unknown, path: string): unknown {
  return systemCode(error) === 'ENOENT' ? new Error(`path ${JSON.stringify(path)} does not exist`) : error
}

const PV_FIELDS = new Set(['accessModes', 'capacity', 'claimRef', 'mountOptions', 'nodeAffinity'])

async function makeFolder(path: string): Promise<void> {
  const made = await mkdir(path, { recursive: true, mode: 0o750 })
  // Every user of the pod may use it, whatever this process's umask.
  if (made !== undefined) await chmod(path, 0o777)
}

async function mountOnce(path: string, mounts: Mounts, mount: () => Promise<void>): Promise<void> {
  await mkdir(path, { recursive: true, mode: 0o750 })
  if (!(await mounts.isMounted(path))) await mount()
}
