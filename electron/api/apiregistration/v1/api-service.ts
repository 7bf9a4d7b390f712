import { ageColumn } from '../../columns.ts'
import { defineKind } from '../../kind.ts'
import { AGGREGATOR_MODEL } from '../../schema/aggregator-facts.ts'
import { invalid, invalidEach, required, type FieldError } from '../../values/field-error.ts'
import { dns1035Label, dns1123Subdomain, nameIsDnsSubdomain, pathSegmentName, portNumber } from '../../values/names.ts'
import type { APIService, APIServiceReference, APIServiceSpec } from './types.ts'

const PORT = 443
const MAX_GROUP_PRIORITY = 20_000
const MAX_VERSION_PRIORITY = 1000

/** Who serves a group's version: this server, or another one behind a Service. Source: kube-aggregator `apis/apiregistration`. */
export const apiService = defineKind<APIService>({
  group: 'apiregistration.k8s.io',
  version: 'v1',
  kind: 'APIService',
  resource: 'apiservices',
  categories: ['api-extensions'],
  namespaced: false,
  model: `${AGGREGATOR_MODEL}APIService`,
  validateName: pathSegmentName,
  subresources: { status: true },
  columns: [
    {
      name: 'Service',
      type: 'string',
      description: 'Where it is served',
      value: ({ spec }) => (spec.service ? `${spec.service.namespace ?? ''}/${spec.service.name ?? ''}` : 'Local'),
    },
    { name: 'Available', type: 'string', description: 'Whether it answers', value: available },
    ageColumn,
  ],
  strategy: {
    defaults({ spec }) {
      if (spec.service) spec.service.port ??= PORT
    },
    validate: ({ metadata, spec }) => [...validateName(metadata.name, spec), ...validateSpec(spec)],
    validateStatusUpdate: ({ status }) =>
      (status.conditions ?? []).flatMap(({ status: value }, i) =>
        ['True', 'False', 'Unknown'].includes(value) ? [] : [invalid(`status.conditions[${i}].status`, value)],
      ),
  },
})

function available({ status }: APIService): string {
  const condition = status.conditions?.find(({ type }) => type === 'Available')
  if (!condition) return 'Unknown'
  return condition.status === 'True' || !condition.reason ? condition.status : `${condition.status} (${condition.reason})`
}

function validateName(name: string, { group = '', version = '' }: APIServiceSpec): FieldError[] {
  const wanted = `${version}.${group}`
  return name === wanted ? [] : [invalid('metadata.name', name, `must be \`spec.version+"."+spec.group\`: "${wanted}"`)]
}

function validateSpec(spec: APIServiceSpec): FieldError[] {
  const { group = '', version = '', groupPriorityMinimum, versionPriority, service, insecureSkipTLSVerify, caBundle } = spec
  const out: FieldError[] = []
  if (group === '') {
    if (service) out.push(required('spec.group', 'only v1 may have an empty group and it better be legacy kube'))
  } else out.push(...invalidEach('spec.group', group, dns1123Subdomain(group)))
  out.push(...invalidEach('spec.version', version, dns1035Label(version)))
  if (groupPriorityMinimum <= 0 || groupPriorityMinimum > MAX_GROUP_PRIORITY)
    out.push(invalid('spec.groupPriorityMinimum', groupPriorityMinimum, `must be positive and less than ${MAX_GROUP_PRIORITY}`))
  if (versionPriority <= 0 || versionPriority > MAX_VERSION_PRIORITY)
    out.push(invalid('spec.versionPriority', versionPriority, `must be positive and less than ${MAX_VERSION_PRIORITY}`))
  if (!service) {
    if (caBundle) out.push(invalid('spec.caBundle', `${caBundle.length} bytes`, 'local APIServices may not have a caBundle'))
    if (insecureSkipTLSVerify)
      out.push(invalid('spec.insecureSkipTLSVerify', insecureSkipTLSVerify, 'local APIServices may not have insecureSkipTLSVerify'))
    return out
  }
  if (insecureSkipTLSVerify && caBundle)
    out.push(invalid('spec.insecureSkipTLSVerify', insecureSkipTLSVerify, 'may not be true if caBundle is present'))
  return [...out, ...validateService(service, 'spec.service')]
}

function validateService({ name = '', namespace = '', port = PORT }: APIServiceReference, field: string): FieldError[] {
  const ports = portNumber(port)
  return [
    ...(namespace ? [] : [required(`${field}.namespace`)]),
    ...(name ? invalidEach(`${field}.name`, name, nameIsDnsSubdomain(name)) : [required(`${field}.name`)]),
    ...(ports.length ? [invalid(`${field}.port`, port, `port is not valid: ${ports.join(', ')}`)] : []),
  ]
}
