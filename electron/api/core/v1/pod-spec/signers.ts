/** Names of signers and of trust bundles. Source: kubernetes `core/validation/names.go`. */
import { goQuote, invalid, invalidEach, required, tooLong, type FieldError } from '../../../values/field-error.ts'
import { byteLength, dns1123Label, dns1123Subdomain, httpPathErrors, nameIsDnsSubdomain, qualifiedName } from '../../../values/names.ts'

/** Signers of Kubernetes' own domain. */
export const isKubernetesSigner = (name: string) => /^([^/]*\.)?kubernetes\.io(\/|$)/.test(name)

/** A domain, a "/", a namespace, a "." and a name. */
const MAX_SIGNER_NAME = 571
const MAX_DOMAIN = 253
const MAX_ANNOTATION_BYTES = 256 * 1024

/** "example.com/my-signer". */
export function signerName(name: string, field: string): FieldError[] {
  if (!name) return [required(field)]
  const [domain = '', path = '', ...more] = name.split('/')
  if (!name.includes('/') || more.length) {
    return [invalid(field, name, "must be a fully qualified domain and path of the form 'example.com/signer-name'")]
  }
  const out: FieldError[] = []
  if (byteLength(domain) > MAX_DOMAIN) out.push(tooLong(field, MAX_DOMAIN))
  const labels = domain.split('.')
  out.push(...firstFault(labels, dns1123Label, domain, field))
  if (labels.length < 2) out.push(invalid(field, domain, 'should be a domain with at least two segments separated by dots'))
  out.push(...firstFault(path.split('.'), dns1123Subdomain, path, field))
  if (byteLength(name) > MAX_SIGNER_NAME) out.push(tooLong(field, MAX_SIGNER_NAME))
  return out
}

function firstFault(labels: readonly string[], rule: (label: string) => string[], whole: string, field: string): FieldError[] {
  const bad = labels.find((label) => rule(label).length > 0)
  return bad === undefined ? [] : rule(bad).map((why) => invalid(field, whole, `validating label ${goQuote(bad)}: ${why}`))
}

/** "example.com:my-signer:v1" if it belongs to a signer, else a plain name. */
export function clusterTrustBundleName(name: string): string[] {
  const colon = name.lastIndexOf(':')
  if (colon < 0) return nameIsDnsSubdomain(name)
  return nameIsDnsSubdomain(name.slice(colon + 1))
}

/** Keys must have a domain. */
export function userAnnotations(annotations: Readonly<Record<string, string>>, field: string): FieldError[] {
  const out: FieldError[] = []
  let size = 0
  for (const [key, value] of Object.entries(annotations)) {
    const lower = key.toLowerCase()
    size += byteLength(key) + byteLength(value)
    if (!lower) out.push(required(field))
    else if (qualifiedName(lower).length) out.push(...invalidEach(field, lower, qualifiedName(lower)))
    else if (!lower.includes('/')) out.push(invalid(field, lower, 'must be a domain-prefixed key (such as "acme.io/foo")'))
  }
  if (size > MAX_ANNOTATION_BYTES) out.push(tooLong(field, MAX_ANNOTATION_BYTES))
  return out
}

/** "acme.io/foo". */
export function domainPrefixedPath(path: string, field: string): FieldError[] {
  if (!path) return [required(field)]
  const slash = path.indexOf('/')
  const [host, rest] = [path.slice(0, Math.max(0, slash)), path.slice(slash + 1)]
  if (!host || !rest) return [invalid(field, path, 'must be a domain-prefixed path (such as "acme.io/foo")')]
  return [...invalidEach(field, host, dns1123Subdomain(host)), ...invalidEach(field, rest, httpPathErrors(rest))]
}
