/** What is mounted into a container. Source: kubernetes `kubelet_pods.go`. */
import { chmod, mkdir, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import type { Random } from '../../../base/random.ts'
import type { Container, Pod, VolumeMount } from '../../../api/core/v1/types.gen.ts'
import type { MountConfig } from '../../runtime/cri.ts'
import type { PodPaths } from '../volumes/pod-paths.ts'
import type { VolumeManager } from '../volumes/volume-manager.ts'
import { ContainerConfigError } from './env.ts'
import { UnknownVariableError, expandStrictly } from './expand.ts'
import { mountPropagation } from './security.ts'

export interface MountInput {
  readonly pod: Pod
  readonly container: Container
  readonly env: ReadonlyMap<string, string>
  readonly volumes: VolumeManager
  readonly paths: PodPaths
  readonly random: Random
  /** Text of the pod's /etc/hosts; null if it is not the kubelet's. */
  readonly hostsFile: string | null
}

const HOSTS = '/etc/hosts'

/** Throws ContainerConfigError where a part of a volume cannot be mounted. */
export async function makeMounts(input: MountInput): Promise<MountConfig[]> {
  const { container, hostsFile } = input
  const mounts: MountConfig[] = []
  for (const [index, mount] of (container.volumeMounts ?? []).entries()) mounts.push(await volumeMount(mount, index, input))
  if (hostsFile !== null && !mounts.some(({ containerPath }) => containerPath === HOSTS)) mounts.push(await hostsMount(input, hostsFile))
  const messagePath = container.terminationMessagePath
  if (messagePath) mounts.push(await messageMount(input, messagePath))
  return mounts
}

async function volumeMount(mount: VolumeMount, index: number, { pod, container, env, volumes }: MountInput): Promise<MountConfig> {
  const volume = volumes.mounted(pod.metadata.uid, mount.name)
  if (!volume) throw new ContainerConfigError(`cannot find volume "${mount.name}" to mount into container "${container.name}"`)
  if (mount.recursiveReadOnly === 'Enabled') {
    throw new ContainerConfigError(`volume mount "${mount.name}" asks for recursiveReadOnly, which the container runtime does not support`)
  }
  const subPath = subPathOf(mount, env)
  const hostPath = subPath === '' ? volume.path : await preparePart(mount, index, subPath, pod, container, volumes)
  return {
    containerPath: mount.mountPath.startsWith('/') ? mount.mountPath : join('/', mount.mountPath),
    hostPath,
    readonly: (mount.readOnly ?? false) || volume.readOnly,
    propagation: mountPropagation(mount.mountPropagation),
  }
}

function subPathOf(mount: VolumeMount, env: ReadonlyMap<string, string>): string {
  let path = mount.subPath ?? ''
  if (mount.subPathExpr) {
    try {
      path = expandStrictly(mount.subPathExpr, (name) => env.get(name))
    } catch (error) {
      if (error instanceof UnknownVariableError) throw new ContainerConfigError(error.message)
      throw error
    }
  }
  if (path.startsWith('/')) throw new ContainerConfigError(`error SubPath \`${path}\` must not be an absolute path`)
  if (path.split('/').includes('..')) throw new ContainerConfigError(`unable to provision SubPath \`${path}\`: must not contain '..'`)
  return path
}

async function preparePart(
  mount: VolumeMount,
  index: number,
  path: string,
  pod: Pod,
  container: Container,
  volumes: VolumeManager,
): Promise<string> {
  try {
    return await volumes.subPath(pod, container.name, index, mount, path)
  } catch (error) {
    const why = `failed to prepare subPath for volumeMount "${mount.name}" of container "${container.name}"`
    throw new ContainerConfigError(`${why}: ${error instanceof Error ? error.message : String(error)}`, { cause: error })
  }
}

async function hostsMount({ pod, paths }: MountInput, text: string): Promise<MountConfig> {
  const hostPath = paths.hostsFile(pod.metadata.uid)
  await mkdir(paths.pod(pod.metadata.uid), { recursive: true, mode: 0o750 })
  await writeFile(hostPath, text, { mode: 0o644 })
  return { containerPath: HOSTS, hostPath, readonly: false }
}

/** A new file for each container, so that one does not read the last words of another. Any user may write to it. */
async function messageMount({ pod, container, paths, random }: MountInput, containerPath: string): Promise<MountConfig> {
  const folder = paths.container(pod.metadata.uid, container.name)
  await mkdir(folder, { recursive: true, mode: 0o750 })
  const hostPath = join(folder, Buffer.from(random.bytes(4)).toString('hex'))
  await writeFile(hostPath, '', { mode: 0o666, flag: 'wx' })
  await chmod(hostPath, 0o666)
  return { containerPath, hostPath, readonly: false }
}
