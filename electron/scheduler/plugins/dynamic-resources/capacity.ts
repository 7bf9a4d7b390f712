/** How much of a device a request gets. Source: KEP-5075, kubernetes `structured/internal/experimental/consumable_capacity.go`. */
import type { CapacityRequestPolicy, CapacityRequirements, Device } from '../../../api/resource/v1/types.gen.ts'
import {
  addQuantity,
  compareQuantity,
  mulQuantity,
  parseQuantity,
  scaledValue,
  subQuantity,
  type ParsedQuantity,
} from '../../../api/values/quantity.ts'

/** Of a device that several may have: what the request takes of each capacity. Null: the device cannot give what is asked for. */
export function consumedBy({ capacity = {} }: Device, asked: CapacityRequirements | undefined): Record<string, ParsedQuantity> | null {
  const { requests = {} } = asked ?? {}
  if (Object.keys(requests).some((name) => !capacity[name])) return null
  const out: Record<string, ParsedQuantity> = {}
  for (const [name, { value, requestPolicy }] of Object.entries(capacity)) {
    const request = requests[name]
    const amount = request === undefined ? parseQuantity(requestPolicy?.default ?? value) : granted(parseQuantity(request), requestPolicy)
    if (!amount) return null
    out[name] = amount
  }
  return out
}

/** Of a device that one has alone. */
export function suffices({ capacity = {} }: Device, asked: CapacityRequirements | undefined): boolean {
  return Object.entries(asked?.requests ?? {}).every(([name, request]) => {
    const has = capacity[name]
    const amount = has && granted(parseQuantity(request), has.requestPolicy)
    return amount ? compareQuantity(amount, has.value) <= 0 : false
  })
}

/** The request as the policy rounds it up; null where it allows none so large. */
function granted(request: ParsedQuantity, policy: CapacityRequestPolicy | undefined): ParsedQuantity | null {
  if (!policy) return request
  if (policy.validValues?.length) {
    const enough = policy.validValues.map((value) => parseQuantity(value)).filter((value) => compareQuantity(value, request) >= 0)
    return enough.sort(compareQuantity)[0] ?? null
  }
  if (!policy.validRange) return request
  const { min, max, step } = policy.validRange
  let amount = compareQuantity(request, min) < 0 ? parseQuantity(min) : request
  if (step !== undefined) amount = stepped(amount, min, step)
  return max !== undefined && compareQuantity(amount, max) > 0 ? null : amount
}

/** The least `min` and whole steps that is not less than the amount. */
function stepped(amount: ParsedQuantity, min: string, step: string): ParsedQuantity {
  const above = subQuantity(amount, min)
  const size = parseQuantity(step)
  const exponent = Math.min(above.exponent, size.exponent)
  const [whole, one] = [scaledValue(above, exponent), scaledValue(size, exponent)]
  if (one <= 0n) return amount
  return addQuantity(min, mulQuantity(size, (whole + one - 1n) / one))
}
