/** What the files of configMap, secret, downwardAPI and projected volumes hold. Source: kubernetes `volume/{configmap,secret,downwardapi,projected}`. */
import type { ConfigMap, DownwardAPIVolumeFile, KeyToPath, Pod, Secret, Volume, VolumeProjection } from '../../../api/core/v1/types.gen.ts'
import { bytesFromBase64 } from '../../../api/values/base64.ts'
import { fieldValue, namedContainer, resourceValue } from '../containers/downward.ts'
import type { Allocatable, PodAddresses } from '../containers/downward.ts'
import type { ReferencedObjects } from '../containers/env.ts'
import type { FileProjection, Payload } from './atomic-writer.ts'

const DEFAULT_MODE = 0o644
/** A token that only its owner or the volume's group may read. */
const PRIVATE_MODE = 0o600

export interface TokenRequest {
  readonly pod: Pod
  /** Empty: the API server's. */
  readonly audience: string
  readonly expirationSeconds: number
}

export interface PayloadInput {
  readonly pod: Pod
  readonly objects: ReferencedObjects
  readonly allocatable: Allocatable
  readonly addresses: PodAddresses
  /** A token of the pod's service account, from a cache as long as it is fresh. */
  readonly token: (request: TokenRequest) => Promise<string>
}

type Files = Map<string, FileProjection>

/** null for volumes that hold no files of the API's. Throws Error for what is missing and not optional. */
export async function payloadOf(volume: Volume, input: PayloadInput): Promise<Payload | null> {
  const { configMap, secret, downwardAPI, projected } = volume
  if (configMap) return configMapFiles(configMap, configMap.defaultMode ?? DEFAULT_MODE, input)
  if (secret) return secretFiles({ ...secret, name: secret.secretName }, secret.defaultMode ?? DEFAULT_MODE, input)
  if (downwardAPI) return downwardFiles(downwardAPI.items ?? [], downwardAPI.defaultMode ?? DEFAULT_MODE, input)
  if (!projected) return null
  const files: Files = new Map()
  for (const source of projected.sources ?? [])
    for (const [path, file] of await projectedFiles(source, projected.defaultMode ?? DEFAULT_MODE, input)) files.set(path, file)
  return files
}

interface Reference {
  readonly name?: string | undefined
  readonly items?: KeyToPath[] | undefined
  readonly optional?: boolean | undefined
}

async function projectedFiles(source: VolumeProjection, mode: number, input: PayloadInput): Promise<Files> {
  if (source.configMap) return configMapFiles(source.configMap, mode, input)
  if (source.secret) return secretFiles(source.secret, mode, input)
  if (source.downwardAPI) return downwardFiles(source.downwardAPI.items ?? [], mode, input)
  if (source.serviceAccountToken) return tokenFiles(source.serviceAccountToken, mode, input)
  if (source.clusterTrustBundle?.optional) return new Map()
  const kind = Object.keys(source)[0] ?? 'unknown'
  throw new Error(`the projected volume source ${kind} is not supported by this node`)
}

async function configMapFiles(reference: Reference, mode: number, { pod, objects }: PayloadInput): Promise<Files> {
  const name = reference.name ?? ''
  const object: ConfigMap | null = await objects.configMap(pod.metadata.namespace ?? '', name)
  if (!object && !reference.optional) throw new Error(`configmap "${name}" not found`)
  const data = new Map<string, Uint8Array>()
  for (const [key, text] of Object.entries(object?.data ?? {})) data.set(key, Buffer.from(text))
  for (const [key, base64] of Object.entries(object?.binaryData ?? {})) data.set(key, bytesFromBase64(base64))
  return select(data, reference, mode, (key) => `configmap references non-existent config key: ${key}`)
}

async function secretFiles(reference: Reference, mode: number, { pod, objects }: PayloadInput): Promise<Files> {
  const name = reference.name ?? ''
  const object: Secret | null = await objects.secret(pod.metadata.namespace ?? '', name)
  if (!object && !reference.optional) throw new Error(`secret "${name}" not found`)
  const data = new Map(Object.entries(object?.data ?? {}).map(([key, base64]) => [key, bytesFromBase64(base64)]))
  return select(data, reference, mode, (key) => `references non-existent secret key: ${key}`)
}

/** All keys under their names, or with `items` those asked for. */
function select(data: ReadonlyMap<string, Uint8Array>, reference: Reference, mode: number, missing: (key: string) => string): Files {
  const files: Files = new Map()
  if (!reference.items?.length) {
    for (const [key, content] of data) files.set(key, { data: content, mode })
    return files
  }
  for (const item of reference.items) {
    const content = data.get(item.key)
    if (content) files.set(normal(item.path), { data: content, mode: item.mode ?? mode })
    else if (!reference.optional) throw new Error(missing(item.key))
  }
  return files
}

function downwardFiles(items: readonly DownwardAPIVolumeFile[], mode: number, { pod, allocatable, addresses }: PayloadInput): Files {
  const files: Files = new Map()
  for (const { path, fieldRef, resourceFieldRef, mode: own } of items) {
    let text = ''
    if (fieldRef) text = fieldValue(pod, fieldRef, addresses)
    else if (resourceFieldRef) {
      const container = namedContainer(pod, resourceFieldRef.containerName)
      if (!container) throw new Error(`container ${resourceFieldRef.containerName ?? ''} not found`)
      text = resourceValue(container, resourceFieldRef, allocatable)
    }
    files.set(normal(path), { data: Buffer.from(text), mode: own ?? mode })
  }
  return files
}

const DEFAULT_EXPIRATION = 3600

async function tokenFiles(
  source: NonNullable<VolumeProjection['serviceAccountToken']>,
  mode: number,
  { pod, token }: PayloadInput,
): Promise<Files> {
  const { audience = '', expirationSeconds = DEFAULT_EXPIRATION, path } = source
  const user = commonUser(pod)
  const isPrivate = user !== null || pod.spec.securityContext?.fsGroup !== undefined
  const text = await token({ pod, audience, expirationSeconds })
  const file = { data: Buffer.from(text), mode: isPrivate ? PRIVATE_MODE : mode, ...(user === null ? {} : { user }) }
  return new Map([[normal(path), file]])
}

/** The user that all containers of the pod run as, if the pod says so. */
export function commonUser({ spec }: Pod): number | null {
  const containers = [...spec.containers, ...(spec.initContainers ?? []), ...(spec.ephemeralContainers ?? [])]
  const users = new Set(containers.map((container) => container.securityContext?.runAsUser ?? spec.securityContext?.runAsUser ?? null))
  const [only = null] = users
  return users.size === 1 ? only : null
}

function normal(path: string): string {
  return path.split('/').filter(Boolean).join('/')
}
