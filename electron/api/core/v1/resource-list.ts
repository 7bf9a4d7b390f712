/** Lists of quantities by resource name. Source: kubernetes `core/v1/defaults.go`, `SetDefaults_ResourceList`. */
import { formatQuantity, roundUpQuantity, tryQuantity } from '../../values/quantity.ts'
import type { ResourceRequirements } from './types.gen.ts'

const MILLI = -3
/** Only what is written with an exponent, or in nano or micro units, can be finer than a thousandth. */
const MAY_BE_FINER = /[nue]/i

/** Rounds what is finer than a thousandth up to one. What is no quantity stays, for validation to name. */
export function defaultResourceList(list: Record<string, string> | undefined): void {
  if (!list) return
  for (const [name, text] of Object.entries(list)) {
    const quantity = MAY_BE_FINER.test(text) ? tryQuantity(text) : null
    if (quantity) list[name] = formatQuantity(roundUpQuantity(quantity, MILLI))
  }
}

export function defaultResources(resources: ResourceRequirements | undefined): void {
  defaultResourceList(resources?.limits)
  defaultResourceList(resources?.requests)
}
