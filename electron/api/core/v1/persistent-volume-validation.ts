/** Checks of persistent volumes. Source: kubernetes `core/validation`, `ValidatePersistentVolumeSpec`. */
import { immutable } from '../../meta/v1/validation.ts'
import { semanticEqual } from '../../values/equal.ts'
import { forbidden, invalid, invalidEach, notSupported, required, type FieldError } from '../../values/field-error.ts'
import { nameIsDnsSubdomain } from '../../values/names.ts'
import { toUnits, tryQuantity } from '../../values/quantity.ts'
import { unifiedDiff } from '../../values/unified-diff.ts'
import { validateAccessModes, VOLUME_MODES } from './claim-spec.ts'
import { validateNodeSelector } from './pod-spec/affinity.ts'
import { sourceRules, validateOneSource, type SourceRule } from './pod-spec/one-source.ts'
import { noBacksteps } from './pod-spec/paths.ts'
import * as sources from './pod-spec/volume-sources.ts'
import type { CSIPersistentVolumeSource, PersistentVolume, PersistentVolumeSpec } from './types.gen.ts'

const RECLAIM_POLICIES = ['Delete', 'Recycle', 'Retain']

const rule = sourceRules<PersistentVolumeSpec>()

/** In upstream's order. */
const RULES: readonly SourceRule<PersistentVolumeSpec>[] = [
  rule('hostPath', sources.hostPath),
  rule('gcePersistentDisk', sources.gcePersistentDisk, { field: 'persistentDisk' }),
  rule('awsElasticBlockStore', sources.awsElasticBlockStore),
  rule('glusterfs', sources.glusterfs),
  rule('flocker', (source, field) => [
    ...(source.datasetName ? [forbidden(`${field}.datasetName`, 'use of dataset name is not allowed')] : []),
    ...sources.flocker(source, field),
  ]),
  rule('nfs', sources.nfs),
  rule('rbd', sources.rbd),
  rule('quobyte', sources.quobyte),
  rule('cephfs', sources.cephfs, { second: 'cephFS' }),
  rule('iscsi', (source, field) => sources.iscsi(source, field, '')),
  rule('cinder', (source, field) => sources.cinder(source, field, true)),
  rule('fc', sources.fc),
  rule('flexVolume', sources.flexVolume),
  rule('azureFile', sources.azureFile),
  rule('vsphereVolume', sources.vsphereVolume),
  rule('photonPersistentDisk', sources.photonPersistentDisk),
  rule('portworxVolume', sources.portworxVolume),
  rule('azureDisk', sources.azureDisk),
  rule('scaleIO', sources.scaleIO),
  rule('local', ({ path }, field) => (path ? noBacksteps(path, `${field}.path`) : [required(`${field}.path`)])),
  rule('storageos', (source, field) => sources.storageos(source, field, true)),
  rule('csi', csi),
]

function csi(source: CSIPersistentVolumeSource, field: string): FieldError[] {
  const out = sources.csiDriverName(source.driver, `${field}.driver`)
  if (!source.volumeHandle) out.push(required(`${field}.volumeHandle`))
  const secrets = ['controllerPublishSecretRef', 'controllerExpandSecretRef', 'nodePublishSecretRef', 'nodeExpandSecretRef'] as const
  for (const name of secrets) {
    const reference = source[name]
    if (!reference) continue
    for (const part of ['name', 'namespace'] as const) {
      const value = reference[part]
      const at = `${field}.${name}.${part}`
      out.push(...(value ? invalidEach(at, value, nameIsDnsSubdomain(value)) : [required(at)]))
    }
  }
  return out
}

export function validateVolumeSpec({ spec }: PersistentVolume): FieldError[] {
  const out = [...validateAccessModes(spec.accessModes, 'spec.accessModes'), ...validateCapacity(spec.capacity ?? {})]
  const { persistentVolumeReclaimPolicy: policy, nodeAffinity, volumeAttributesClassName: attributes, storageClassName } = spec
  const at = (name: keyof PersistentVolumeSpec) => `spec.${name}`
  if (policy && !RECLAIM_POLICIES.includes(policy)) out.push(notSupported(at('persistentVolumeReclaimPolicy'), policy, RECLAIM_POLICIES))
  if (nodeAffinity) {
    const field = `${at('nodeAffinity')}.required`
    out.push(
      ...(nodeAffinity.required
        ? validateNodeSelector(nodeAffinity.required, field)
        : [required(field, 'must specify required node constraints')]),
    )
  }
  out.push(...validateSource(spec))
  if (spec.hostPath?.path.replace(/\/+(\.?\/*)*/g, '/') === '/' && policy === 'Recycle') {
    out.push(forbidden(at('persistentVolumeReclaimPolicy'), "may not be 'recycle' for a hostPath mount of '/'"))
  }
  if (storageClassName) out.push(...invalidEach(at('storageClassName'), storageClassName, nameIsDnsSubdomain(storageClassName)))
  if (spec.volumeMode !== undefined && !VOLUME_MODES.includes(spec.volumeMode)) {
    out.push(notSupported(at('volumeMode'), spec.volumeMode, VOLUME_MODES))
  }
  if (attributes === undefined) return out
  const field = at('volumeAttributesClassName')
  out.push(
    ...(attributes ? invalidEach(field, attributes, nameIsDnsSubdomain(attributes)) : [required(field, 'an empty string is disallowed')]),
  )
  return spec.csi ? out : [...out, required(at('csi'), 'has to be specified when using volumeAttributesClassName')]
}

function validateCapacity(capacity: Readonly<Record<string, string>>): FieldError[] {
  const names = Object.keys(capacity)
  const out = names.length ? [] : [required('spec.capacity')]
  if (names.length !== 1 || names[0] !== 'storage') out.push(notSupported('spec.capacity', capacity, ['storage']))
  for (const [name, quantity] of Object.entries(capacity)) {
    const value = tryQuantity(quantity)
    const field = `spec.capacity[${name}]`
    if (!value) out.push(invalid(field, quantity, 'must be a valid resource quantity'))
    else {
      if (value.unscaled < 0n) out.push(invalid(field, toUnits(value), 'must be a valid resource quantity'))
      if (value.unscaled <= 0n) out.push(invalid(field, quantity, 'must be greater than zero'))
    }
  }
  return out
}

function validateSource(spec: PersistentVolumeSpec): FieldError[] {
  const bound = spec.nodeAffinity || !spec.local
  return validateOneSource(RULES, spec, 'spec', bound ? [] : [required('spec.nodeAffinity', 'Local volume requires node affinity')])
}

export function validateVolumeUpdate({ spec }: PersistentVolume, { spec: old }: PersistentVolume): FieldError[] {
  const sourceOf = (volume: PersistentVolumeSpec) => {
    const source = RULES.find(({ name }) => volume[name])?.name
    return source ? { [source]: volume[source] } : {}
  }
  const before = sourceOf(old)
  let after: object = sourceOf(spec)
  if (old.csi && spec.csi && !old.csi.controllerExpandSecretRef) {
    const { controllerExpandSecretRef: _, ...source } = spec.csi
    after = { csi: source }
  }
  const out: FieldError[] = []
  if (!semanticEqual(after, before)) {
    const why = 'spec.persistentvolumesource is immutable after creation'
    out.push(forbidden('spec.persistentvolumesource', `${why}\n${unifiedDiff(before, after)}`))
  }
  out.push(...immutable('volumeMode', spec.volumeMode, old.volumeMode))
  if (old.nodeAffinity && !semanticEqual(spec.nodeAffinity, old.nodeAffinity)) {
    out.push(invalid('nodeAffinity', spec.nodeAffinity ?? null, 'field is immutable, except for updating from beta label to GA'))
  }
  if (old.volumeAttributesClassName !== undefined && spec.volumeAttributesClassName === undefined) {
    out.push(forbidden('spec.volumeAttributesClassName', 'update from non-nil value to nil is forbidden'))
  }
  return out
}
