import { createdAtColumn } from '../../columns.ts'
import { defineKind } from '../../kind.ts'
import { semanticEqual } from '../../values/equal.ts'
import { validateDefinition, validateDefinitionUpdate, validateStoredVersions } from './definition-validation.ts'
import type { CustomResourceDefinition } from './types.gen.ts'

const WEBHOOK_PORT = 443

export const customResourceDefinition = defineKind<CustomResourceDefinition>({
  group: 'apiextensions.k8s.io',
  version: 'v1',
  kind: 'CustomResourceDefinition',
  resource: 'customresourcedefinitions',
  shortNames: ['crd', 'crds'],
  categories: ['api-extensions'],
  namespaced: false,
  model: 'io.k8s.apiextensions-apiserver.pkg.apis.apiextensions.v1.CustomResourceDefinition',
  subresources: { status: true },
  columns: [createdAtColumn],
  strategy: {
    defaults({ spec }) {
      const { names } = spec
      if (names.kind && !names.singular) names.singular = names.kind.toLowerCase()
      if (names.kind && !names.listKind) names.listKind = `${names.kind}List`
      spec.conversion ??= { strategy: 'None' }
      const service = spec.conversion.webhook?.clientConfig?.service
      if (service) service.port ??= WEBHOOK_PORT
    },
    prepareForCreate(definition) {
      definition.status = { acceptedNames: { plural: '', kind: '' }, conditions: [], storedVersions: [] }
      noteStoredVersion(definition)
    },
    prepareForUpdate: noteStoredVersion,
    generationChanged: ({ spec }, old) => !semanticEqual(spec, old.spec),
    requireResourceVersion: true,
    validate: validateDefinition,
    validateUpdate: validateDefinitionUpdate,
    validateStatusUpdate: (definition) => validateStoredVersions(definition),
  },
})

/** Objects may lie in the store in this version from now on. */
function noteStoredVersion({ spec, status }: CustomResourceDefinition): void {
  const storage = spec.versions.find((version) => version.storage)?.name
  const stored = status.storedVersions ?? []
  if (storage !== undefined && !stored.includes(storage)) status.storedVersions = [...stored, storage]
}
