import { ageColumn } from '../../columns.ts'
import { defineKind } from '../../kind.ts'
import { immutable, validateLabels } from '../../meta/v1/validation.ts'
import { invalidEach } from '../../values/field-error.ts'
import { dns1123Label } from '../../values/names.ts'
import { validateOverhead } from '../../core/v1/pod-spec/resources.ts'
import { validateTolerations } from '../../core/v1/pod-spec/tolerations.ts'
import type { RuntimeClass } from './types.gen.ts'

export const runtimeClass = defineKind<RuntimeClass>({
  group: 'node.k8s.io',
  version: 'v1',
  kind: 'RuntimeClass',
  resource: 'runtimeclasses',
  namespaced: false,
  model: 'io.k8s.api.node.v1.RuntimeClass',
  columns: [{ name: 'Handler', type: 'string', description: 'What its pods run with', value: ({ handler }) => handler }, ageColumn],
  strategy: {
    validate: ({ handler, overhead, scheduling }) => [
      ...invalidEach('handler', handler, dns1123Label(handler)),
      ...(overhead ? validateOverhead(overhead.podFixed ?? {}, 'overhead') : []),
      ...validateLabels(scheduling?.nodeSelector, 'scheduling.nodeSelector'),
      ...validateTolerations(scheduling?.tolerations ?? [], 'scheduling.tolerations'),
    ],
    validateUpdate: ({ handler }, old) => immutable('handler', handler, old.handler),
  },
})
