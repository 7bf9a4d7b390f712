/** Checks of a pod's volumes. Source: kubernetes `core/validation`. */
import { nameIsDnsSubdomain, dns1123Label } from '../../../values/names.ts'
import { duplicate, invalid, invalidEach, notSupported, required, type FieldError } from '../../../values/field-error.ts'
import { validateClaimTemplate } from '../claim-spec.ts'
import type { ImageVolumeSource, Volume } from '../types.gen.ts'
import { sourceRules, validateOneSource, type SourceRule } from './one-source.ts'
import * as keyed from './projected.ts'
import * as sources from './volume-sources.ts'

const PULL_POLICIES = ['Always', 'IfNotPresent', 'Never']

const rule = sourceRules<Volume>()

/** In upstream's order. */
const RULES: readonly SourceRule<Volume>[] = [
  rule('emptyDir', sources.emptyDir),
  rule('hostPath', sources.hostPath),
  rule('gitRepo', sources.gitRepo),
  rule('gcePersistentDisk', sources.gcePersistentDisk, { field: 'persistentDisk' }),
  rule('awsElasticBlockStore', sources.awsElasticBlockStore),
  rule('secret', keyed.secret),
  rule('nfs', sources.nfs),
  rule('iscsi', (source, field) => sources.iscsi(source, field)),
  rule('glusterfs', sources.glusterfs),
  rule('flocker', sources.flocker),
  rule('persistentVolumeClaim', ({ claimName }, field) => (claimName ? [] : [required(`${field}.claimName`)])),
  rule('rbd', sources.rbd),
  rule('cinder', (source, field) => sources.cinder(source, field)),
  rule('cephfs', sources.cephfs, { second: 'cephFS' }),
  rule('quobyte', sources.quobyte),
  rule('downwardAPI', keyed.downwardAPI, { second: 'downwarAPI' }),
  rule('fc', sources.fc),
  rule('flexVolume', sources.flexVolume),
  rule('configMap', keyed.configMap),
  rule('azureFile', sources.azureFile),
  rule('vsphereVolume', sources.vsphereVolume),
  rule('photonPersistentDisk', sources.photonPersistentDisk),
  rule('portworxVolume', sources.portworxVolume),
  rule('azureDisk', sources.azureDisk),
  rule('storageos', (source, field) => sources.storageos(source, field)),
  rule('projected', keyed.projected),
  rule('scaleIO', sources.scaleIO),
  rule('csi', sources.csi),
  rule('ephemeral', ({ volumeClaimTemplate }, field) => {
    const at = `${field}.volumeClaimTemplate`
    return volumeClaimTemplate ? validateClaimTemplate(volumeClaimTemplate, at) : [required(at)]
  }),
  rule('image', image),
]

function image({ reference, pullPolicy }: ImageVolumeSource, field: string): FieldError[] {
  return [...(reference ? [] : [required(`${field}.reference`)]), ...validatePullPolicy(pullPolicy, `${field}.pullPolicy`)]
}

export function validatePullPolicy(policy: string | undefined, field: string): FieldError[] {
  if (!policy) return [required(field)]
  return PULL_POLICIES.includes(policy) ? [] : [notSupported(field, policy, PULL_POLICIES)]
}

export interface ValidatedVolumes {
  /** Those without faults, which containers may mount. */
  readonly valid: ReadonlyMap<string, Volume>
  readonly errors: FieldError[]
}

/** `podName` is empty for templates: what depends on it is checked when pods are made from them. */
export function validateVolumes(volumes: readonly Volume[], podName: string, field: string): ValidatedVolumes {
  const valid = new Map<string, Volume>()
  const errors: FieldError[] = []
  const made = new Set(podName ? volumes.filter(({ ephemeral }) => ephemeral).map(({ name }) => `${podName}-${name}`) : [])
  volumes.forEach((volume, i) => {
    const at = `${field}[${i}]`
    const { name, persistentVolumeClaim: claim } = volume
    const own = validateSource(volume, podName, at)
    own.push(...(name ? invalidEach(`${at}.name`, name, dns1123Label(name)) : [required(`${at}.name`)]))
    if (valid.has(name)) own.push(duplicate(`${at}.name`, name))
    if (own.length) errors.push(...own)
    else valid.set(name, volume)
    if (claim && made.has(claim.claimName)) {
      const why = 'must not reference a PVC that gets created for an ephemeral volume'
      errors.push(invalid(`${at}.persistentVolumeClaim.claimName`, claim.claimName, why))
    }
  })
  return { valid, errors }
}

function validateSource(volume: Volume, podName: string, field: string): FieldError[] {
  const whole: FieldError[] = []
  if (volume.iscsi?.initiatorName !== undefined && `${volume.name}:${volume.iscsi.targetPortal}`.length > 64) {
    whole.push(invalid(`${field}.name`, volume.name, sources.ISCSI_TOO_LONG))
  }
  if (volume.ephemeral && podName && volume.name) {
    const claim = `${podName}-${volume.name}`
    for (const why of nameIsDnsSubdomain(claim))
      whole.push(invalid(`${field}.name`, volume.name, `PVC name ${JSON.stringify(claim)}: ${why}`))
  }
  return validateOneSource(RULES, volume, field, whole)
}
