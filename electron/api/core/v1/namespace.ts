import { ageColumn } from '../../columns.ts'
import { defineKind, type SubresourceStrategy } from '../../kind.ts'
import { validateStandardFinalizer } from '../../meta/v1/validation.ts'
import { invalid, invalidEach, type FieldError } from '../../values/field-error.ts'
import { nameIsDnsLabel, qualifiedName } from '../../values/names.ts'
import type { Namespace } from './types.gen.ts'

/** What holds a namespace until all in it is gone. */
const FINALIZER = 'kubernetes'
const NAME_LABEL = 'kubernetes.io/metadata.name'

/** Changes the finalizers and nothing else of the spec. */
const finalizeStrategy: SubresourceStrategy = {
  prepareForUpdate(object, old) {
    ;(object as Namespace).status = structuredClone((old as Namespace).status)
  },
  validateUpdate: (object) =>
    ((object as Namespace).spec.finalizers ?? []).flatMap((name, i) => validateFinalizer(name, `spec.finalizers[${i}]`)),
}

export const namespace = defineKind<Namespace>({
  group: '',
  version: 'v1',
  kind: 'Namespace',
  resource: 'namespaces',
  shortNames: ['ns'],
  namespaced: false,
  model: 'io.k8s.api.core.v1.Namespace',
  validateName: nameIsDnsLabel,
  verbs: ['create', 'delete', 'get', 'list', 'patch', 'update', 'watch'],
  subresources: { finalize: { verbs: ['update'], strategy: finalizeStrategy }, status: true },
  columns: [{ name: 'Status', type: 'string', description: 'Phase', value: ({ status }) => status.phase ?? '' }, ageColumn],
  selectableFields: { 'status.phase': ({ status }) => status.phase ?? '', name: ({ metadata }) => metadata.name },
  strategy: {
    defaults({ metadata, status }) {
      if (metadata.name) label(metadata)
      status.phase ??= 'Active'
    },
    prepareForCreate(namespace) {
      // One whose name is generated has none before.
      label(namespace.metadata)
      namespace.status = { phase: 'Active' }
      const finalizers = namespace.spec.finalizers ?? []
      if (!finalizers.includes(FINALIZER)) namespace.spec.finalizers = [...finalizers, FINALIZER]
    },
    prepareForUpdate({ spec }, old) {
      if (old.spec.finalizers) spec.finalizers = [...old.spec.finalizers]
      else delete spec.finalizers
    },
    validate: ({ spec }) => (spec.finalizers ?? []).flatMap((name) => validateFinalizer(name, 'spec.finalizers')),
    validateStatusUpdate: validatePhase,
  },
})

function label(metadata: Namespace['metadata']): void {
  metadata.labels = { ...metadata.labels, [NAME_LABEL]: metadata.name }
}

function validateFinalizer(name: string, field: string): FieldError[] {
  return [...invalidEach(field, name, qualifiedName(name)), ...validateStandardFinalizer(name, field)]
}

function validatePhase({ metadata, status }: Namespace): FieldError[] {
  const phase = metadata.deletionTimestamp ? 'Terminating' : 'Active'
  if (status.phase === phase) return []
  const when = metadata.deletionTimestamp ? 'is not empty' : 'is empty'
  return [invalid('status.Phase', status.phase ?? '', `may only be '${phase}' if \`deletionTimestamp\` ${when}`)]
}
