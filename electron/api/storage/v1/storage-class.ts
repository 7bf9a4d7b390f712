import { ageColumn } from '../../columns.ts'
import { defineKind } from '../../kind.ts'
import { immutable } from '../../meta/v1/validation.ts'
import { semanticEqual } from '../../values/equal.ts'
import { duplicate, forbidden, invalidEach, notSupported, required, type FieldError } from '../../values/field-error.ts'
import { labelValueErrors, qualifiedName } from '../../values/names.ts'
import type { TopologySelectorTerm } from '../../core/v1/types.gen.ts'
import { validateParameters } from './parameters.ts'
import type { StorageClass } from './types.gen.ts'

const DEFAULT_CLASS = ['storageclass.kubernetes.io/is-default-class', 'storageclass.beta.kubernetes.io/is-default-class']
const RECLAIM_POLICIES = ['Delete', 'Retain']
const BINDING_MODES = ['Immediate', 'WaitForFirstConsumer']

/** Whether claims that name no class get this one. */
export const isDefaultClass = ({ metadata }: StorageClass) => DEFAULT_CLASS.some((name) => metadata.annotations?.[name] === 'true')

export const storageClass = defineKind<StorageClass>({
  group: 'storage.k8s.io',
  version: 'v1',
  kind: 'StorageClass',
  resource: 'storageclasses',
  shortNames: ['sc'],
  namespaced: false,
  model: 'io.k8s.api.storage.v1.StorageClass',
  columns: [
    {
      name: 'Name',
      type: 'string',
      format: 'name',
      description: 'Name of the class, and whether it is the default one',
      value: (object) => (isDefaultClass(object) ? `${object.metadata.name} (default)` : object.metadata.name),
    },
    { name: 'Provisioner', type: 'string', description: 'Who makes its volumes', value: ({ provisioner }) => provisioner },
    {
      name: 'ReclaimPolicy',
      type: 'string',
      description: 'What becomes of its volumes when their claims go',
      value: ({ reclaimPolicy }) => reclaimPolicy ?? 'Delete',
    },
    {
      name: 'VolumeBindingMode',
      type: 'string',
      description: 'When its volumes are made',
      value: ({ volumeBindingMode }) => volumeBindingMode ?? 'Immediate',
    },
    {
      name: 'AllowVolumeExpansion',
      type: 'string',
      description: 'Whether its volumes may grow',
      value: ({ allowVolumeExpansion }) => allowVolumeExpansion ?? false,
    },
    ageColumn,
  ],
  strategy: {
    defaults(object) {
      object.reclaimPolicy ??= 'Delete'
      object.volumeBindingMode ??= 'Immediate'
    },
    validate: validateClass,
    validateUpdate(object, old) {
      const fixed = (['parameters', 'provisioner', 'reclaimPolicy'] as const).filter((name) => !semanticEqual(object[name], old[name]))
      return [
        ...fixed.map((name) => forbidden(name, `updates to ${name} are forbidden.`)),
        ...immutable('volumeBindingMode', object.volumeBindingMode, old.volumeBindingMode),
      ]
    },
  },
})

function validateClass(object: StorageClass): FieldError[] {
  const { provisioner, parameters = {}, reclaimPolicy, volumeBindingMode: mode, allowedTopologies = [] } = object
  const out = provisioner ? invalidEach('provisioner', provisioner, qualifiedName(provisioner.toLowerCase())) : [required('provisioner')]
  out.push(...validateParameters(parameters))
  if (reclaimPolicy && !RECLAIM_POLICIES.includes(reclaimPolicy)) out.push(notSupported('reclaimPolicy', reclaimPolicy, RECLAIM_POLICIES))
  if (mode === undefined) out.push(required('volumeBindingMode'))
  else if (!BINDING_MODES.includes(mode)) out.push(notSupported('volumeBindingMode', mode, BINDING_MODES))
  return [...out, ...allowedTopologies.flatMap((term, i) => validateTopology(term, `allowedTopologies[${i}]`))]
}

function validateTopology({ matchLabelExpressions: expressions = [] }: TopologySelectorTerm, at: string): FieldError[] {
  const keys = new Set<string>()
  return expressions.flatMap(({ key, values }, i) => {
    const field = `${at}.matchLabelExpressions[${i}]`
    const out = values.length ? [] : [required(`${field}.values`)]
    values.forEach((value, j) => {
      if (values.indexOf(value) < j) out.push(duplicate(`${field}.values[${j}]`, value))
      out.push(...invalidEach(`${field}.values[${j}]`, value, labelValueErrors(value)))
    })
    out.push(...invalidEach(`${field}.key`, key, qualifiedName(key)))
    if (keys.has(key)) out.push(duplicate(`${field}.key`, key))
    keys.add(key)
    return out
  })
}
