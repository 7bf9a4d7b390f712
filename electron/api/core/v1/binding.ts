import { defineKind } from '../../kind.ts'
import { validateBinding } from './pod-spec/parts.ts'
import type { Binding } from './types.gen.ts'

/** What puts a pod on a node. It can only be made, and is no object of its own. */
export const binding = defineKind<Binding>({
  group: '',
  version: 'v1',
  kind: 'Binding',
  resource: 'bindings',
  namespaced: true,
  model: 'io.k8s.api.core.v1.Binding',
  verbs: ['create'],
  strategy: { validate: validateBinding },
})
