/** What claims ask for, made ready to be looked for on many nodes. */
import type {
  DeviceClass,
  DeviceConstraint,
  DeviceSelector,
  DeviceSubRequest,
  ExactDeviceRequest,
  ResourceClaim,
} from '../../../api/resource/v1/types.gen.ts'
import { messageOf } from '../../../base/errors.ts'
import { compileSelector, type CompiledSelector } from '../../../machinery/devices/selector.ts'
import type { PooledDevice } from './pools.ts'

/** Why no node will do, said to people. */
export class AllocationError extends Error {
  override readonly name = 'AllocationError'
}

/** One way to answer a request. */
export interface Ask {
  /** As results name it: "request" or "request/alternative". */
  readonly name: string
  /** "request". */
  readonly parent: string
  readonly claim: ResourceClaim
  readonly spec: ExactDeviceRequest | DeviceSubRequest
  readonly deviceClass: DeviceClass
  /** Whether it may have what others have (KEP-5018). */
  readonly admin: boolean
  /** Throws AllocationError. The answer for a device is kept. */
  selects(one: PooledDevice): boolean
}

/** The first that can be had is taken. */
export type Request = readonly Ask[]

export interface ClaimAsks {
  readonly claim: ResourceClaim
  readonly requests: readonly Request[]
  readonly constraints: readonly DeviceConstraint[]
}

/** Compiled expressions, by their text. */
export class Selectors {
  readonly #known = new Map<string, CompiledSelector>()
  static readonly #MOST = 1000

  get(expression: string): CompiledSelector {
    const known = this.#known.get(expression)
    if (known) return known
    if (this.#known.size >= Selectors.#MOST) this.#known.clear()
    const compiled = compileSelector(expression)
    this.#known.set(expression, compiled)
    return compiled
  }
}

/** Throws AllocationError for classes that are not there and expressions that mean nothing. */
export function asksOf(claim: ResourceClaim, classes: (name: string) => DeviceClass | undefined, selectors: Selectors): ClaimAsks {
  const { requests = [], constraints = [] } = claim.spec.devices
  const askOf = (name: string, parent: string, spec: ExactDeviceRequest | DeviceSubRequest): Ask => {
    const deviceClass = classes(spec.deviceClassName)
    if (!deviceClass) throw new AllocationError(`request ${name}: device class ${spec.deviceClassName} does not exist`)
    const tests = [
      ...testsOf(deviceClass.spec.selectors, `class ${spec.deviceClassName}`, selectors),
      ...testsOf(spec.selectors, `claim ${claim.metadata.namespace}/${claim.metadata.name}`, selectors),
    ]
    const answers = new Map<PooledDevice, boolean>()
    return {
      ...{ name, parent, claim, spec, deviceClass },
      admin: 'adminAccess' in spec && spec.adminAccess === true,
      selects(one) {
        const known = answers.get(one)
        if (known !== undefined) return known
        const answer = tests.every((test) => test(one))
        answers.set(one, answer)
        return answer
      },
    }
  }
  return {
    ...{ claim, constraints },
    requests: requests.map(({ name, exactly, firstAvailable = [] }) =>
      exactly ? [askOf(name, name, exactly)] : firstAvailable.map((sub) => askOf(`${name}/${sub.name}`, name, sub)),
    ),
  }
}

function testsOf(
  given: readonly DeviceSelector[] | undefined,
  whose: string,
  selectors: Selectors,
): readonly ((one: PooledDevice) => boolean)[] {
  return (given ?? []).map(({ cel }, i) => {
    const where = `${whose}: selector #${i}`
    const { matches, error } = selectors.get(cel?.expression ?? '')
    if (!matches) throw new AllocationError(`${where}: CEL compile error: ${error}`)
    return ({ device, pool }) => {
      try {
        return matches(device, pool.driver)
      } catch (fault) {
        throw new AllocationError(`${where}: CEL runtime error: ${messageOf(fault)}`)
      }
    }
  })
}
