import { ageColumn } from '../../columns.ts'
import { defineKind } from '../../kind.ts'
import { balancerAddresses } from '../../core/v1/service.ts'
import { CLASS_ANNOTATION, validateIngress, validateIngressStatus } from './ingress-validation.ts'
import type { Ingress } from './types.gen.ts'

const SHOWN = 3

export const ingress = defineKind<Ingress>({
  group: 'networking.k8s.io',
  version: 'v1',
  kind: 'Ingress',
  resource: 'ingresses',
  shortNames: ['ing'],
  namespaced: true,
  model: 'io.k8s.api.networking.v1.Ingress',
  subresources: { status: true },
  columns: [
    { name: 'Class', type: 'string', description: 'Who serves it', value: ({ spec }) => spec.ingressClassName ?? '<none>' },
    { name: 'Hosts', type: 'string', description: 'The first hosts that it is for', value: hostsText },
    {
      name: 'Address',
      type: 'string',
      description: 'Where it is reached',
      value: ({ status }) => balancerAddresses(status.loadBalancer).join(','),
    },
    { name: 'Ports', type: 'string', description: 'Ports that are open', value: ({ spec }) => (spec.tls?.length ? '80, 443' : '80') },
    ageColumn,
  ],
  strategy: {
    prepareForCreate(ingress) {
      ingress.status = { loadBalancer: {} }
    },
    validate: validateIngress,
    validateStatusUpdate: validateIngressStatus,
    warnings: ({ metadata }, old) =>
      !old && CLASS_ANNOTATION in (metadata.annotations ?? {})
        ? [`annotation "${CLASS_ANNOTATION}" is deprecated, please use 'spec.ingressClassName' instead`]
        : [],
  },
})

function hostsText({ spec: { rules = [] } }: Ingress): string {
  const hosts = rules
    .slice(0, SHOWN)
    .map(({ host }) => host)
    .filter(Boolean)
  if (!hosts.length) return '*'
  return rules.length > SHOWN ? `${hosts.join(',')} + ${rules.length - SHOWN} more...` : hosts.join(',')
}
