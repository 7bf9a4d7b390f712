/**
 * Checks of the sources of volumes that pods and persistent volumes share. Source: kubernetes `core/validation`. Types that no node
 * of ours can mount are checked as well, so that manifests fail here as they fail elsewhere.
 */
import { forbidden, invalid, invalidEach, notSupported, required, tooLong, type FieldError } from '../../../values/field-error.ts'
import { betweenInclusive, dns1123Label, dns1123Subdomain, nameIsDnsSubdomain } from '../../../values/names.ts'
import { tryQuantity } from '../../../values/quantity.ts'
import type * as core from '../types.gen.ts'
import { localDescendingPath, noBacksteps } from './paths.ts'

export type SourceCheck<T> = (source: T, field: string) => FieldError[]

const HOST_PATH_TYPES = ['', 'BlockDevice', 'CharDevice', 'Directory', 'DirectoryOrCreate', 'File', 'FileOrCreate', 'Socket']
const IQN = /iqn\.\d{4}-\d{2}\.([a-zA-Z0-9\-.]+)(:[^,;*&$|\s]+)$/
const EUI = /^eui.[a-zA-Z0-9]{16}$/
const NAA = /^naa.[a-zA-Z0-9]{32}$/

/** One `required` for each of these that is empty. */
function need(field: string, values: Readonly<Record<string, unknown>>): FieldError[] {
  return Object.entries(values)
    .filter(([, value]) => !value || (Array.isArray(value) && value.length === 0))
    .map(([name]) => required(`${field}.${name}`))
}

export const emptyDir: SourceCheck<core.EmptyDirVolumeSource> = ({ sizeLimit }, field) =>
  sizeLimit !== undefined && (tryQuantity(sizeLimit)?.unscaled ?? -1n) < 0n
    ? [forbidden(`${field}.sizeLimit`, 'SizeLimit field must be a valid resource quantity')]
    : []

export const hostPath: SourceCheck<core.HostPathVolumeSource> = ({ path, type }, field) => {
  if (!path) return [required(`${field}.path`)]
  const out = noBacksteps(path, `${field}.path`)
  if (type !== undefined && !HOST_PATH_TYPES.includes(type)) out.push(notSupported(`${field}.type`, type, HOST_PATH_TYPES))
  return out
}

export const gitRepo: SourceCheck<core.GitRepoVolumeSource> = ({ repository, directory }, field) => [
  ...need(field, { repository }),
  ...localDescendingPath(directory ?? '', `${field}.directory`),
]

const partition = (value: number | undefined, field: string) =>
  value !== undefined && (value < 0 || value > 255) ? [invalid(`${field}.partition`, value, betweenInclusive(1, 255))] : []

export const gcePersistentDisk: SourceCheck<core.GCEPersistentDiskVolumeSource> = (source, field) => [
  ...need(field, { pdName: source.pdName }),
  ...partition(source.partition, field),
]

export const awsElasticBlockStore: SourceCheck<core.AWSElasticBlockStoreVolumeSource> = (source, field) => [
  ...need(field, { volumeID: source.volumeID }),
  ...partition(source.partition, field),
]

export const nfs: SourceCheck<core.NFSVolumeSource> = ({ server, path }, field) => [
  ...need(field, { server, path }),
  ...(path.startsWith('/') ? [] : [invalid(`${field}.path`, path, 'must be an absolute path')]),
]

interface Iscsi {
  readonly targetPortal: string
  readonly iqn: string
  readonly lun: number
  readonly chapAuthDiscovery?: boolean
  readonly chapAuthSession?: boolean
  readonly initiatorName?: string
  readonly secretRef?: object
}

/** `hint` is what is added where a name begins with none of the three schemes. */
export function iscsi(source: Iscsi, field: string, hint = ' starting with iqn, eui, or naa'): FieldError[] {
  const { targetPortal, iqn, lun, initiatorName } = source
  const out = need(field, { targetPortal, iqn })
  if (iqn) out.push(...iscsiName(iqn, `${field}.iqn`, hint))
  if (lun < 0 || lun > 255) out.push(invalid(`${field}.lun`, lun, betweenInclusive(0, 255)))
  if ((source.chapAuthDiscovery || source.chapAuthSession) && !source.secretRef) out.push(required(`${field}.secretRef`))
  if (initiatorName !== undefined) out.push(...iscsiName(initiatorName, `${field}.initiatorname`, hint))
  return out
}

function iscsiName(name: string, field: string, hint: string): FieldError[] {
  const pattern = { iqn: IQN, eui: EUI, naa: NAA }[name.slice(0, 3)]
  if (!pattern) return [invalid(field, name, `must be valid format${hint}`)]
  return pattern.test(name) ? [] : [invalid(field, name, 'must be valid format')]
}

export const ISCSI_TOO_LONG =
  'Total length of <volume name>:<iscsi.targetPortal> must be under 64 characters if iscsi.initiatorName is specified.'

export const fc: SourceCheck<core.FCVolumeSource> = ({ targetWWNs = [], wwids = [], lun }, field) => {
  const out: FieldError[] = []
  if (!targetWWNs.length && !wwids.length) {
    out.push(required(`${field}.targetWWNs`, 'must specify either targetWWNs or wwids, but not both'))
  }
  if (targetWWNs.length && wwids.length) {
    out.push(invalid(`${field}.targetWWNs`, targetWWNs, 'targetWWNs and wwids can not be specified simultaneously'))
  }
  if (!targetWWNs.length) return out
  if (lun === undefined) out.push(required(`${field}.lun`, 'lun is required if targetWWNs is specified'))
  else if (lun < 0 || lun > 255) out.push(invalid(`${field}.lun`, lun, betweenInclusive(0, 255)))
  return out
}

export const quobyte: SourceCheck<core.QuobyteVolumeSource> = ({ registry, tenant, volume }, field) => {
  const form = 'must be a host:port pair or multiple pairs separated by commas'
  const out: FieldError[] = []
  if (!registry) out.push(required(`${field}.registry`, form))
  else if ((tenant ?? '').length >= 65) {
    out.push(required(`${field}.tenant`, 'must be a UUID and may not exceed a length of 64 characters'))
  } else {
    for (const pair of registry.split(','))
      if (!/^(\[[^\]]*\]|[^:]*):[^:]*$/.test(pair)) out.push(invalid(`${field}.registry`, registry, form))
  }
  return [...out, ...need(field, { volume })]
}

export const glusterfs: SourceCheck<{ endpoints: string; path: string }> = ({ endpoints, path }, field) => need(field, { endpoints, path })

export const flocker: SourceCheck<core.FlockerVolumeSource> = ({ datasetName, datasetUUID }, field) => {
  const out: FieldError[] = []
  if (!datasetName && !datasetUUID) out.push(required(field, 'one of datasetName and datasetUUID is required'))
  if (datasetName && datasetUUID) out.push(invalid(field, 'resource', 'datasetName and datasetUUID can not be specified simultaneously'))
  if (datasetName?.includes('/')) out.push(invalid(`${field}.datasetName`, datasetName, "must not contain '/'"))
  return out
}

export const rbd: SourceCheck<{ monitors: string[]; image: string }> = ({ monitors, image }, field) => need(field, { monitors, image })
export const cephfs: SourceCheck<{ monitors: string[] }> = ({ monitors }, field) => need(field, { monitors })
export const vsphereVolume: SourceCheck<core.VsphereVirtualDiskVolumeSource> = ({ volumePath }, field) => need(field, { volumePath })
export const photonPersistentDisk: SourceCheck<core.PhotonPersistentDiskVolumeSource> = ({ pdID }, field) => need(field, { pdID })
export const portworxVolume: SourceCheck<core.PortworxVolumeSource> = ({ volumeID }, field) => need(field, { volumeID })
export const azureFile: SourceCheck<{ secretName: string; shareName: string }> = ({ secretName, shareName }, field) =>
  need(field, { secretName, shareName })
export const scaleIO: SourceCheck<{ gateway: string; system: string; volumeName?: string }> = ({ gateway, system, volumeName }, field) =>
  need(field, { gateway, system, volumeName })

const CACHING_MODES = ['None', 'ReadOnly', 'ReadWrite']
const DISK_KINDS = ['Dedicated', 'Managed', 'Shared']
const MANAGED_URI = '/subscriptions/{sub-id}/resourcegroups/{group-name}/providers/microsoft.compute/disks/{disk-id}'
const BLOB_URI = 'https://{account-name}.blob.core.windows.net/{container-name}/{disk-name}.vhd'

export const azureDisk: SourceCheck<core.AzureDiskVolumeSource> = ({ diskName, diskURI, cachingMode, kind }, field) => {
  const out = need(field, { diskName, diskURI })
  if (!CACHING_MODES.includes(cachingMode)) out.push(notSupported(`${field}.cachingMode`, cachingMode, CACHING_MODES))
  if (!DISK_KINDS.includes(kind)) out.push(notSupported(`${field}.kind`, kind, DISK_KINDS))
  if (kind === 'Managed' && !diskURI.startsWith('/subscriptions/')) out.push(notSupported(`${field}.diskURI`, diskURI, [MANAGED_URI]))
  if (kind !== 'Managed' && !diskURI.startsWith('https://')) out.push(notSupported(`${field}.diskURI`, diskURI, [BLOB_URI]))
  return out
}

interface SecretRef {
  readonly name?: string
  readonly namespace?: string
}

/** With `namespaced` the reference must say in which namespace the secret is. */
export function secretRef(reference: SecretRef | undefined, field: string, namespaced: boolean): FieldError[] {
  if (!reference) return []
  return need(`${field}.secretRef`, namespaced ? { name: reference.name, namespace: reference.namespace } : { name: reference.name })
}

export function cinder(source: { volumeID: string; secretRef?: SecretRef }, field: string, namespaced = false): FieldError[] {
  return [...need(field, { volumeID: source.volumeID }), ...secretRef(source.secretRef, field, namespaced)]
}

interface StorageOs {
  readonly volumeName?: string
  readonly volumeNamespace?: string
  readonly secretRef?: SecretRef
}

export function storageos(source: StorageOs, field: string, namespaced = false): FieldError[] {
  const { volumeName, volumeNamespace } = source
  return [
    ...(volumeName ? invalidEach(`${field}.volumeName`, volumeName, dns1123Label(volumeName)) : [required(`${field}.volumeName`)]),
    ...(volumeNamespace ? invalidEach(`${field}.volumeNamespace`, volumeNamespace, dns1123Label(volumeNamespace)) : []),
    ...secretRef(source.secretRef, field, namespaced),
  ]
}

export function flexVolume(source: { driver: string; options?: Record<string, string> }, field: string): FieldError[] {
  const out = need(field, { driver: source.driver })
  for (const key of Object.keys(source.options ?? {})) {
    const slash = key.indexOf('/')
    const domain = `.${(slash < 0 ? key : key.slice(0, slash)).toLowerCase()}`
    if (domain.endsWith('.kubernetes.io') || domain.endsWith('.k8s.io')) {
      out.push(invalid(`${field}.options[${key}]`, key, 'kubernetes.io and k8s.io namespaces are reserved'))
    }
  }
  return out
}

export function csiDriverName(driver: string, field: string): FieldError[] {
  if (!driver) return [required(field)]
  return [...(driver.length > 63 ? [tooLong(field, 63)] : []), ...invalidEach(field, driver, dns1123Subdomain(driver.toLowerCase()))]
}

export const csi: SourceCheck<core.CSIVolumeSource> = ({ driver, nodePublishSecretRef }, field) => {
  const out = csiDriverName(driver, `${field}.driver`)
  const name = nodePublishSecretRef?.name
  if (nodePublishSecretRef && !name) out.push(required(`${field}.nodePublishSecretRef.name`))
  if (name) out.push(...invalidEach(`${field}.name`, name, nameIsDnsSubdomain(name)))
  return out
}
