/** The facts of kube-aggregator's kind, in the form of Kubernetes'. They say what `apiregistration/v1/types.ts` says in types. */
import type { FactSchema } from './facts.ts'

export const AGGREGATOR_MODEL = 'io.k8s.kube-aggregator.pkg.apis.apiregistration.v1.'

const META = 'io.k8s.apimachinery.pkg.apis.meta.v1.'
const ref = (name: string, extra: Omit<FactSchema, '$ref'> = {}): FactSchema => ({ $ref: `#/components/schemas/${name}`, ...extra })
const our = (name: string, extra: Omit<FactSchema, '$ref'> = {}) => ref(`${AGGREGATOR_MODEL}${name}`, extra)
const text: FactSchema = { type: 'string' }
const always: FactSchema = { type: 'string', default: '' }
const int32: FactSchema = { type: 'integer', format: 'int32' }

export const AGGREGATOR_FACTS: Readonly<Record<string, FactSchema>> = {
  [`${AGGREGATOR_MODEL}APIService`]: {
    type: 'object',
    properties: {
      apiVersion: text,
      kind: text,
      metadata: ref(`${META}ObjectMeta`, { default: {} }),
      spec: our('APIServiceSpec', { default: {} }),
      status: our('APIServiceStatus', { default: {} }),
    },
  },
  [`${AGGREGATOR_MODEL}APIServiceCondition`]: {
    type: 'object',
    properties: {
      lastTransitionTime: ref(`${META}Time`),
      message: text,
      reason: text,
      status: always,
      type: always,
    },
    required: ['type', 'status'],
  },
  [`${AGGREGATOR_MODEL}APIServiceSpec`]: {
    type: 'object',
    properties: {
      caBundle: { type: 'string', format: 'byte', 'x-kubernetes-list-type': 'atomic' },
      group: text,
      groupPriorityMinimum: { ...int32, default: 0 },
      insecureSkipTLSVerify: { type: 'boolean' },
      service: our('ServiceReference'),
      version: text,
      versionPriority: { ...int32, default: 0 },
    },
    required: ['groupPriorityMinimum', 'versionPriority'],
  },
  [`${AGGREGATOR_MODEL}APIServiceStatus`]: {
    type: 'object',
    properties: {
      conditions: {
        type: 'array',
        items: our('APIServiceCondition', { default: {} }),
        'x-kubernetes-list-type': 'map',
        'x-kubernetes-list-map-keys': ['type'],
        'x-kubernetes-patch-strategy': 'merge',
        'x-kubernetes-patch-merge-key': 'type',
      },
    },
  },
  [`${AGGREGATOR_MODEL}ServiceReference`]: {
    type: 'object',
    properties: { name: text, namespace: text, port: int32 },
  },
}
