/** Checks of a service's own addresses and their families. Source: kubernetes `core/validation`. */
import { duplicate, invalid, notSupported, required, type FieldError } from '../../values/field-error.ts'
import { ipErrors, isDualStack, parseIp } from '../../values/ip.ts'
import { HEADLESS, isHeadless } from './service-traits.ts'
import type { Service } from './types.gen.ts'

const FAMILIES = ['IPv4', 'IPv6']
const POLICIES = ['PreferDualStack', 'RequireDualStack', 'SingleStack']

export function validateServiceAddresses(service: Service): FieldError[] {
  const { type, clusterIP = '', clusterIPs = [], ipFamilies = [], ipFamilyPolicy } = service.spec
  if (type === 'ExternalName') return []
  const at = 'spec.clusterIPs'
  const out: FieldError[] = []
  if (clusterIP) {
    if (!clusterIPs.length) out.push(required(at))
    else if (clusterIPs[0] !== clusterIP) out.push(invalid(at, clusterIPs, 'first value must match `clusterIP`'))
  } else if (clusterIPs.length) out.push(invalid(at, clusterIPs, 'must be empty when `clusterIP` is not specified'))
  ipFamilies.forEach((family, i) => {
    const field = `spec.ipFamilies[${i}]`
    if (!FAMILIES.includes(family)) out.push(notSupported(field, family, FAMILIES))
    if (ipFamilies.indexOf(family) < i) out.push(duplicate(field, family))
  })
  if (ipFamilyPolicy !== undefined && !POLICIES.includes(ipFamilyPolicy)) {
    out.push(notSupported('spec.ipFamilyPolicy', ipFamilyPolicy, POLICIES))
  }
  const wrong = addressErrors(clusterIPs)
  out.push(...wrong)
  if (clusterIPs.length > 2) out.push(invalid(at, clusterIPs, 'may only hold up to 2 values'))
  if (wrong.length) return out
  if (clusterIPs.length > 1 && !isDualStack(clusterIPs)) {
    out.push(invalid(at, clusterIPs, 'may specify no more than one IP for each IP family'))
  }
  return isHeadless(service) ? out : [...out, ...familyErrors(clusterIPs, ipFamilies)]
}

function addressErrors(ips: readonly string[]): FieldError[] {
  return ips.flatMap((ip, i) => {
    if (i > 0 || ip !== HEADLESS) return ipErrors(`spec.clusterIPs[${i}]`, ip)
    return ips.length > 1 ? [invalid('spec.clusterIPs', ips, "'None' must be the first and only value")] : []
  })
}

function familyErrors(ips: readonly string[], families: readonly string[]): FieldError[] {
  return ips.flatMap((ip, i) => {
    const [family, actual] = [families[i], parseIp(ip)?.family === 6 ? 'IPv6' : 'IPv4']
    if (family === undefined || !FAMILIES.includes(family) || family === actual) return []
    return [invalid(`spec.clusterIPs[${i}]`, ip, `expected an ${family} value as indicated by \`ipFamilies[${i}]\``)]
  })
}

const ONCE = 'may not change once set'

/** The first address and family stay; a second one may come and go. */
export function validateServiceAddressesUpdate(service: Service, old: Service): FieldError[] {
  if (service.spec.type === 'ExternalName' || old.spec.type === 'ExternalName') return []
  const [headless, wasHeadless] = [isHeadless(service), isHeadless(old)]
  return [...(headless && wasHeadless ? [] : clusterIpChange(service, old)), ...(headless || wasHeadless ? [] : familyChange(service, old))]
}

function clusterIpChange({ spec }: Service, { spec: before }: Service): FieldError[] {
  const [ips, old] = [spec.clusterIPs ?? [], before.clusterIPs ?? []]
  const at = 'spec.clusterIPs'
  if (ips.length === old.length) return old.flatMap((ip, i) => (ip === ips[i] ? [] : [invalid(`${at}[${i}]`, ips, ONCE)]))
  const out: FieldError[] = []
  if (!ips.length) out.push(invalid(`${at}[0]`, ips, 'primary clusterIP can not be unset'))
  if (ips.length && old.length && ips[0] !== old[0]) out.push(invalid(`${at}[0]`, ips, ONCE))
  if (ips.length < old.length && ips.length === 1) out.push(...released(spec.ipFamilyPolicy, 'clusterIP'))
  return out
}

function familyChange({ spec }: Service, { spec: before }: Service): FieldError[] {
  const [families, old] = [spec.ipFamilies ?? [], before.ipFamilies ?? []]
  const at = 'spec.ipFamilies[0]'
  if (families.length === old.length) return old.flatMap((family, i) => (family === families[i] ? [] : [invalid(at, families, ONCE)]))
  const out: FieldError[] = []
  if (families.length < old.length && !spec.clusterIPs?.length) out.push(invalid(at, families, 'primary ipFamily can not be unset'))
  if (families.length && old.length && families[0] !== old[0]) out.push(invalid(at, spec.clusterIPs ?? [], ONCE))
  if (families.length < old.length && families.length === 1) out.push(...released(spec.ipFamilyPolicy, 'ipFamily'))
  return out
}

function released(policy: string | undefined, what: string): FieldError[] {
  if (policy === 'SingleStack') return []
  return [invalid('spec.ipFamilyPolicy', policy ?? null, `must be set to 'SingleStack' when releasing the secondary ${what}`)]
}
