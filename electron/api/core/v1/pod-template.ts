import { labelsText, templateColumns } from '../../columns.ts'
import { defineKind } from '../../kind.ts'
import { defaultPodTemplate } from './pod-spec/defaults.ts'
import { validatePodTemplate } from './pod-spec/pod-spec.ts'
import { templateWarnings } from './pod-spec/warnings.ts'
import type { PodTemplate } from './types.gen.ts'

const [containers, images] = templateColumns<PodTemplate>(({ template }) => template.spec.containers).map((column) => ({
  ...column,
  priority: 0,
}))

export const podTemplate = defineKind<PodTemplate>({
  group: '',
  version: 'v1',
  kind: 'PodTemplate',
  resource: 'podtemplates',
  namespaced: true,
  model: 'io.k8s.api.core.v1.PodTemplate',
  columns: [
    ...[containers, images].filter((column) => column !== undefined),
    {
      name: 'Pod Labels',
      type: 'string',
      description: 'Labels of its pods',
      value: ({ template }) => labelsText(template.metadata.labels),
    },
  ],
  strategy: {
    defaults: ({ template }) => defaultPodTemplate(template),
    validate: ({ template }) => validatePodTemplate(template, 'template'),
    warnings: (object, old) => templateWarnings(object, old, object.template, 'template'),
  },
})
