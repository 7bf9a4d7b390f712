/** The kinds that extend the API, as far as a test sends and reads them. */
import type {
  MutatingAdmissionPolicy,
  MutatingAdmissionPolicyBinding,
  MutatingWebhookConfiguration,
  ValidatingAdmissionPolicy,
  ValidatingAdmissionPolicyBinding,
  ValidatingWebhookConfiguration,
} from '../../../electron/api/admissionregistration/v1/types.gen.ts'
import type { CustomResourceDefinition } from '../../../electron/api/apiextensions/v1/types.gen.ts'
import { defineKind } from '../../../electron/api/kind.ts'
import type { KubeObject } from '../../../electron/api/meta/v1/object.ts'

const admission = <T extends KubeObject>(kind: string, resource: string, status = false) =>
  defineKind<T>({
    group: 'admissionregistration.k8s.io',
    version: 'v1',
    kind,
    resource,
    model: `io.k8s.api.admissionregistration.v1.${kind}`,
    namespaced: false,
    ...(status ? { subresources: { status: true } } : {}),
  })

export const mutatingWebhooks = admission<MutatingWebhookConfiguration>('MutatingWebhookConfiguration', 'mutatingwebhookconfigurations')
export const validatingWebhooks = admission<ValidatingWebhookConfiguration>(
  'ValidatingWebhookConfiguration',
  'validatingwebhookconfigurations',
)
export const mutatingPolicy = admission<MutatingAdmissionPolicy>('MutatingAdmissionPolicy', 'mutatingadmissionpolicies')
export const mutatingBinding = admission<MutatingAdmissionPolicyBinding>(
  'MutatingAdmissionPolicyBinding',
  'mutatingadmissionpolicybindings',
)
export const validatingPolicy = admission<ValidatingAdmissionPolicy>('ValidatingAdmissionPolicy', 'validatingadmissionpolicies', true)
export const validatingBinding = admission<ValidatingAdmissionPolicyBinding>(
  'ValidatingAdmissionPolicyBinding',
  'validatingadmissionpolicybindings',
)
export const customResourceDefinition = defineKind<CustomResourceDefinition>({
  group: 'apiextensions.k8s.io',
  version: 'v1',
  kind: 'CustomResourceDefinition',
  resource: 'customresourcedefinitions',
  model: 'io.k8s.apiextensions-apiserver.pkg.apis.apiextensions.v1.CustomResourceDefinition',
  namespaced: false,
  subresources: { status: true },
})
