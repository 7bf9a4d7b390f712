/** Checks of ingresses. Source: kubernetes `apis/networking/validation`. */
import { invalid, invalidEach, notSupported, required, type FieldError } from '../../values/field-error.ts'
import { ipErrors, parseIp } from '../../values/ip.ts'
import { dns1123Subdomain, nameIsDnsLabel, nameIsDnsSubdomain, portName, portNumber, wildcardDns1123Subdomain } from '../../values/names.ts'
import { validateTypedReference } from './typed-reference.ts'
import type { HTTPIngressPath, Ingress, IngressBackend, IngressRule, IngressServiceBackend, IngressSpec } from './types.gen.ts'

export const CLASS_ANNOTATION = 'kubernetes.io/ingress.class'
const PATH_TYPES = ['Exact', 'ImplementationSpecific', 'Prefix']
const BAD_SEQUENCES = ['//', '/./', '/../', '%2f', '%2F']
const BAD_ENDS = ['/..', '/.']
const NO_ADDRESS = 'must be a DNS name, not an IP address'

export function validateIngress({ metadata, spec }: Ingress): FieldError[] {
  const annotation = metadata.annotations?.[CLASS_ANNOTATION]
  const out = validateSpec(spec)
  // Only what is stored has a version.
  if (
    !metadata.resourceVersion &&
    annotation !== undefined &&
    spec.ingressClassName !== undefined &&
    annotation !== spec.ingressClassName
  ) {
    out.push(invalid(`annotations.${CLASS_ANNOTATION}`, annotation, 'must match `ingressClassName` when both are specified'))
  }
  return out
}

function validateSpec(spec: IngressSpec): FieldError[] {
  const { defaultBackend, rules = [], tls = [], ingressClassName } = spec
  const out: FieldError[] = []
  if (!rules.length && !defaultBackend)
    out.push(invalid('spec', spec.rules ?? null, 'either `defaultBackend` or `rules` must be specified'))
  if (defaultBackend) out.push(...validateBackend(defaultBackend, 'spec.defaultBackend'))
  rules.forEach((rule, i) => out.push(...validateRule(rule, `spec.rules[${i}]`)))
  tls.forEach(({ hosts, secretName }, i) => {
    hosts?.forEach((host, j) => out.push(...validateHost(host, `spec.tls[${i}].hosts[${j}]`)))
    if (secretName) out.push(...invalidEach(`spec.tls[${i}].secretName`, secretName, nameIsDnsSubdomain(secretName)))
  })
  if (ingressClassName !== undefined) {
    out.push(...invalidEach('spec.ingressClassName', ingressClassName, nameIsDnsSubdomain(ingressClassName)))
  }
  return out
}

const validateHost = (host: string, field: string) =>
  invalidEach(field, host, host.includes('*') ? wildcardDns1123Subdomain(host) : dns1123Subdomain(host))

function validateRule({ host, http }: IngressRule, at: string): FieldError[] {
  const out: FieldError[] = []
  if (host) {
    if (parseIp(host)) out.push(invalid(`${at}.host`, host, NO_ADDRESS))
    out.push(...validateHost(host, `${at}.host`))
  }
  if (!http) return out
  if (!http.paths?.length) out.push(required(`${at}.http.paths`))
  http.paths?.forEach((path, i) => out.push(...validatePath(path, `${at}.http.paths[${i}]`)))
  return out
}

function validatePath({ path = '', pathType: type, backend }: HTTPIngressPath, at: string): FieldError[] {
  if (!type) return [required(`${at}.pathType`, 'pathType must be specified')]
  const field = `${at}.path`
  const out: FieldError[] = []
  if (!PATH_TYPES.includes(type)) out.push(notSupported(`${at}.pathType`, type, PATH_TYPES))
  else if (!path.startsWith('/') && (path || type !== 'ImplementationSpecific')) out.push(invalid(field, path, 'must be an absolute path'))
  if (type === 'Exact' || type === 'Prefix') {
    for (const bad of BAD_SEQUENCES) if (path.includes(bad)) out.push(invalid(field, path, `must not contain '${bad}'`))
    for (const bad of BAD_ENDS) if (path.endsWith(bad)) out.push(invalid(field, path, `cannot end with '${bad}'`))
  }
  return [...out, ...validateBackend(backend, `${at}.backend`)]
}

function validateBackend({ resource, service }: IngressBackend, field: string): FieldError[] {
  if (resource && service) return [invalid(field, '', 'cannot set both resource and service backends')]
  if (resource) return validateTypedReference(resource, `${field}.resource`)
  return service ? validateService(service, field) : [invalid(field, '', 'resource or service backend is required')]
}

function validateService({ name, port }: IngressServiceBackend, field: string): FieldError[] {
  const at = `${field}.service`
  const out = name ? invalidEach(`${at}.name`, name, nameIsDnsLabel(name)) : [required(`${at}.name`)]
  if (port.name && port.number) return [...out, invalid(field, '', 'cannot set both port name & port number')]
  if (port.name) return [...out, ...invalidEach(`${at}.port.name`, port.name, portName(port.name))]
  if (port.number) return [...out, ...invalidEach(`${at}.port.number`, port.number, portNumber(port.number))]
  return [...out, required(field, 'port name or number is required')]
}

export function validateIngressStatus({ status }: Ingress): FieldError[] {
  return (status.loadBalancer?.ingress ?? []).flatMap(({ ip, hostname }, i) => {
    const at = `status.loadBalancer.ingress[${i}]`
    const out = ip ? ipErrors(`${at}.ip`, ip) : []
    if (!hostname) return out
    out.push(...invalidEach(`${at}.hostname`, hostname, dns1123Subdomain(hostname)))
    return parseIp(hostname) ? [...out, invalid(`${at}.hostname`, hostname, NO_ADDRESS)] : out
  })
}
