/** How a webhook is called. Sources: apiserver `pkg/util/webhook` validation, kubernetes `apis/admissionregistration/validation`. */
import { invalid, required, type FieldError } from '../../values/field-error.ts'
import { dns1123Subdomain, portNumber } from '../../values/names.ts'
import type { ServiceReference, WebhookClientConfig } from './types.gen.ts'

const FORM = '; desired format: https://host[/path]'
const PORT = 443

export function defaultClientConfig({ service }: WebhookClientConfig): void {
  if (service) service.port ??= PORT
}

export function validateClientConfig({ url, service }: WebhookClientConfig, field: string): FieldError[] {
  if ((url === undefined) === (service === undefined)) return [required(field, 'exactly one of url or service is required')]
  return service ? validateService(service, `${field}.service`) : validateWebhookUrl(url ?? '', `${field}.url`)
}

export function validateWebhookUrl(text: string, field: string): FieldError[] {
  const match = /^(?:([A-Za-z][A-Za-z0-9+.-]*):)?(?:\/\/(?:([^@/?#]*)@)?([^/?#]*))?[^?#]*(?:\?([^#]*))?(?:#(.*))?$/.exec(text)
  // Colons alone may end the host; whatever else WHATWG refuses is no URL for Go either.
  if (!match || (match[1] && match[3] && !URL.canParse(text)))
    return [required(field, `url must be a valid URL: parse ${JSON.stringify(text)}${FORM}`)]
  const [, scheme = '', user, host = '', query = '', fragment = ''] = match
  const out: FieldError[] = []
  if (scheme !== 'https') out.push(invalid(field, scheme, `'https' is the only allowed URL scheme${FORM}`))
  if (host === '') out.push(invalid(field, host, `host must be specified${FORM}`))
  if (user !== undefined) out.push(invalid(field, user, `user information is not permitted in the URL${FORM}`))
  if (fragment) out.push(invalid(field, fragment, `fragments are not permitted in the URL${FORM}`))
  if (query) out.push(invalid(field, query, `query parameters are not permitted in the URL${FORM}`))
  return out
}

function validateService({ name, namespace, path, port = PORT }: ServiceReference, field: string): FieldError[] {
  const ports = portNumber(port)
  return [
    ...(name ? [] : [required(`${field}.name`, 'service name is required')]),
    ...(namespace ? [] : [required(`${field}.namespace`, 'service namespace is required')]),
    ...(ports.length ? [invalid(`${field}.port`, port, `port is not valid: ${ports.join(', ')}`)] : []),
    ...validatePath(path ?? '', `${field}.path`),
  ]
}

function validatePath(path: string, field: string): FieldError[] {
  if (path === '' || path === '/') return []
  if (path === '//') return [invalid(field, path, 'segment[0] may not be empty')]
  if (!path.startsWith('/')) return [invalid(field, path, "must start with a '/'")]
  return path
    .slice(1)
    .replace(/\/$/, '')
    .split('/')
    .flatMap((segment, i) => {
      if (segment === '') return [invalid(field, path, `segment[${i}] may not be empty`)]
      return dns1123Subdomain(segment).map((why) => invalid(field, path, `segment[${i}]: ${why}`))
    })
}
