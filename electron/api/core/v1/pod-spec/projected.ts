/** Checks of volumes made of keys: secrets, config maps, the downward API, and projections of several. Source: `core/validation`. */
import { validateLabelSelector } from '../../../meta/v1/label-selector.ts'
import { forbidden, invalid, notSupported, required, type FieldError } from '../../../values/field-error.ts'
import type * as core from '../types.gen.ts'
import { VOLUME_FIELDS, validateFieldSelector, validateResourceSelector } from './downward.ts'
import { fileMode, localNonReservedPath } from './paths.ts'
import { clusterTrustBundleName, isKubernetesSigner, signerName, userAnnotations } from './signers.ts'
import type { SourceCheck } from './volume-sources.ts'

const CONFLICT = 'conflicting duplicate paths'
const KEY_TYPES = ['RSA3072', 'RSA4096', 'ECDSAP256', 'ECDSAP384', 'ECDSAP521', 'ED25519']
const HOUR = 3600
const DAY = 24 * HOUR

export const secret: SourceCheck<core.SecretVolumeSource> = ({ secretName, defaultMode, items }, field) => [
  ...(secretName ? [] : [required(`${field}.secretName`)]),
  ...fileMode(defaultMode, `${field}.defaultMode`),
  ...keysToPaths(items, `${field}.items`),
]

export const configMap: SourceCheck<core.ConfigMapVolumeSource> = ({ name, defaultMode, items }, field) => [
  ...(name ? [] : [required(`${field}.name`)]),
  ...fileMode(defaultMode, `${field}.defaultMode`),
  ...keysToPaths(items, `${field}.items`),
]

function keysToPaths(items: readonly core.KeyToPath[] | undefined, field: string): FieldError[] {
  return (items ?? []).flatMap((item, i) => keyToPath(item, `${field}[${i}]`))
}

function keyToPath({ key, path, mode }: core.KeyToPath, field: string): FieldError[] {
  return [
    ...(key ? [] : [required(`${field}.key`)]),
    ...(path ? [] : [required(`${field}.path`)]),
    ...localNonReservedPath(path, `${field}.path`),
    ...fileMode(mode, `${field}.mode`),
  ]
}

export const downwardAPI: SourceCheck<core.DownwardAPIVolumeSource> = ({ defaultMode, items }, field) => [
  ...fileMode(defaultMode, `${field}.defaultMode`),
  ...(items ?? []).flatMap((file) => downwardFile(file, field)),
]

function downwardFile({ path, fieldRef, resourceFieldRef, mode }: core.DownwardAPIVolumeFile, field: string): FieldError[] {
  const out = path ? [] : [required(`${field}.path`)]
  out.push(...localNonReservedPath(path, `${field}.path`))
  if (fieldRef) {
    out.push(...validateFieldSelector(fieldRef, VOLUME_FIELDS, `${field}.fieldRef`))
    if (resourceFieldRef) out.push(invalid(field, 'resource', 'fieldRef and resourceFieldRef can not be specified simultaneously'))
  } else if (resourceFieldRef) out.push(...validateResourceSelector(resourceFieldRef, `${field}.resourceFieldRef`, true))
  else out.push(required(field, 'one of fieldRef and resourceFieldRef is required'))
  return [...out, ...fileMode(mode, `${field}.mode`)]
}

export const projected: SourceCheck<core.ProjectedVolumeSource> = ({ defaultMode, sources }, field) => {
  const paths = new Set<string>()
  const claim = (path: string | undefined, shown: string): FieldError[] => {
    if (!path) return []
    const taken = paths.has(path)
    paths.add(path)
    return taken ? [invalid(field, shown, CONFLICT)] : []
  }
  return [
    ...fileMode(defaultMode, `${field}.defaultMode`),
    ...(sources ?? []).flatMap((source, i) => {
      const at = `${field}.sources[${i}]`
      const more = Object.values(source).filter(Boolean).length > 1
      return [
        ...keyed(source.secret, `${at}.secret`, claim),
        ...keyed(source.configMap, `${at}.configMap`, claim),
        ...(source.downwardAPI?.items ?? []).flatMap((file) => [
          ...downwardFile(file, `${at}.downwardAPI`),
          ...claim(file.path, file.path),
        ]),
        ...(source.serviceAccountToken ? token(source.serviceAccountToken, field, `${at}.serviceAccountToken`) : []),
        ...(source.clusterTrustBundle ? trustBundle(source.clusterTrustBundle, `${at}.clusterTrustBundle`, claim) : []),
        ...(source.podCertificate ? certificate(source.podCertificate, `${at}.podCertificate`, claim) : []),
        ...(more ? [forbidden(at, 'may not specify more than 1 volume type per source')] : []),
      ]
    }),
  ]
}

/** Says whether another source has the path already. */
type Claim = (path: string | undefined, shown: string) => FieldError[]

function keyed(source: core.SecretProjection | core.ConfigMapProjection | undefined, field: string, claim: Claim): FieldError[] {
  if (!source) return []
  const name = source.name ?? ''
  const out = name ? [] : [required(`${field}.name`)]
  source.items?.forEach((item, i) => out.push(...keyToPath(item, `${field}.items[${i}]`), ...claim(item.path, name)))
  return out
}

function token({ expirationSeconds, path }: core.ServiceAccountTokenProjection, volume: string, field: string): FieldError[] {
  const out: FieldError[] = []
  const seconds = expirationSeconds ?? HOUR
  if (seconds < 600) out.push(invalid(`${field}.expirationSeconds`, seconds, 'may not specify a duration less than 10 minutes'))
  if (seconds > 2 ** 32) out.push(invalid(`${field}.expirationSeconds`, seconds, 'may not specify a duration larger than 2^32 seconds'))
  return [...out, ...(path ? localNonReservedPath(path, `${volume}.path`) : [required(`${volume}.path`)])]
}

function trustBundle(source: core.ClusterTrustBundleProjection, field: string, claim: Claim): FieldError[] {
  const { name, signerName: signer, labelSelector, path } = source
  const out: FieldError[] = []
  if (name !== undefined && signer !== undefined) out.push(invalid(field, source, 'only one of name and signerName may be used'))
  else if (name !== undefined) {
    if (!name) out.push(required(`${field}.name`, 'must be a valid object name'))
    for (const why of clusterTrustBundleName(name)) out.push(invalid(`${field}.name`, name, `not a valid clustertrustbundlename: ${why}`))
    if (labelSelector) out.push(invalid(`${field}.labelSelector`, labelSelector, 'labelSelector must be unset if name is specified'))
  } else if (signer !== undefined) {
    if (!signer) out.push(required(`${field}.signerName`, 'must be a valid signer name'))
    out.push(...signerName(signer, `${field}.signerName`), ...validateLabelSelector(labelSelector, `${field}.labelSelector`))
  } else out.push(required(field, 'either name or signerName must be specified'))
  if (!path) out.push(required(`${field}.path`))
  return [...out, ...localNonReservedPath(path, `${field}.path`), ...claim(path, path)]
}

function certificate(source: core.PodCertificateProjection, field: string, claim: Claim): FieldError[] {
  const out = signerName(source.signerName, `${field}.signerName`)
  if (source.userAnnotations) out.push(...userAnnotations(source.userAnnotations, `${field}.userAnnotations`))
  if (!KEY_TYPES.includes(source.keyType)) out.push(notSupported(`${field}.keyType`, source.keyType, KEY_TYPES))
  const seconds = source.maxExpirationSeconds
  const max = isKubernetesSigner(source.signerName) ? DAY : 91 * DAY
  const lifetime = `${field}.maxExpirationSeconds`
  if (seconds !== undefined && seconds < HOUR) out.push(invalid(lifetime, seconds, `if provided, maxExpirationSeconds must be >= ${HOUR}`))
  if (seconds !== undefined && seconds > max) out.push(invalid(lifetime, seconds, `if provided, maxExpirationSeconds must be <= ${max}`))
  const files = ['credentialBundlePath', 'keyPath', 'certificateChainPath'] as const
  if (!files.some((name) => source[name])) {
    out.push(required(field, 'specify at least one of credentialBundlePath, keyPath, and certificateChainPath'))
  }
  for (const name of files) {
    const path = source[name]
    if (path) out.push(...localNonReservedPath(path, `${field}.${name}`), ...claim(path, path))
  }
  return out
}
