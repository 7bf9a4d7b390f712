/** What a pod's claims are bound to; kept with the pod, so that it comes up again without the API server. */
import { existsSync } from 'node:fs'
import { mkdir, readFile } from 'node:fs/promises'
import { join } from 'node:path'
import type { Random } from '../../../base/random.ts'
import type { PersistentVolume, PersistentVolumeClaim, PersistentVolumeSpec, Pod } from '../../../api/core/v1/types.gen.ts'
import type { Client } from '../../../client/client.ts'
import { hasReason } from '../../../machinery/status.ts'
import { requestJson } from '../../api-requests.ts'
import { writeAtomically } from '../../checkpoint/atomic-file.ts'
import type { PodPaths } from './pod-paths.ts'

export class Claims {
  readonly #client: Pick<Client, 'request'>
  readonly #paths: PodPaths
  readonly #random: Random

  constructor(deps: { client: Pick<Client, 'request'>; paths: PodPaths; random: Random }) {
    this.#client = deps.client
    this.#paths = deps.paths
    this.#random = deps.random
  }

  /** Throws Error while the claim is missing or not bound. */
  async resolve(pod: Pod, name: string): Promise<PersistentVolumeSpec> {
    const file = join(this.#paths.pod(pod.metadata.uid), 'claims', `${name}.json`)
    const spec = await this.#ask(pod, name, file).catch(async (error: unknown) => {
      if (hasReason(error, 'NotFound', 'Forbidden') || error instanceof ClaimError) throw error
      return readFile(file, 'utf8').then(
        (text) => JSON.parse(text) as PersistentVolumeSpec,
        () => Promise.reject(error instanceof Error ? error : new Error(String(error))),
      )
    })
    await mkdir(join(file, '..'), { recursive: true, mode: 0o700 })
    await writeAtomically(file, JSON.stringify(spec), this.#random)
    return spec
  }

  /** A pod that had the claim before keeps it; no other begins to use one that is being deleted, or one of another pod. */
  async #ask({ metadata, spec }: Pod, name: string, file: string): Promise<PersistentVolumeSpec> {
    const { namespace = '' } = metadata
    const path = `/api/v1/namespaces/${encodeURIComponent(namespace)}/persistentvolumeclaims/${encodeURIComponent(name)}`
    const claim = await requestJson<PersistentVolumeClaim>(this.#client, 'GET', path)
    const isOwn = spec.volumes?.some((volume) => volume.ephemeral && `${metadata.name}-${volume.name}` === name)
    if (isOwn && !claim.metadata.ownerReferences?.some(({ uid, controller }) => controller && uid === metadata.uid))
      throw new ClaimError(`PVC ${namespace}/${name} was not created for pod ${namespace}/${metadata.name} (pod is not owner)`)
    if (claim.metadata.deletionTimestamp && !existsSync(file)) throw new ClaimError(`persistentvolumeclaim "${name}" is being deleted`)
    const volumeName = claim.spec.volumeName
    if (claim.status.phase !== 'Bound' || !volumeName) throw new ClaimError(`persistentvolumeclaim "${name}" is not bound`)
    const volume = await requestJson<PersistentVolume>(this.#client, 'GET', `/api/v1/persistentvolumes/${encodeURIComponent(volumeName)}`)
    if (volume.spec.claimRef?.uid !== claim.metadata.uid)
      throw new ClaimError(`persistentvolumeclaim "${name}" and volume "${volumeName}" are not bound to each other`)
    return volume.spec
  }
}

class ClaimError extends Error {
  override readonly name = 'ClaimError'
}
