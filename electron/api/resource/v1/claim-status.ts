/** What may be written into a claim's status. Source: kubernetes `apis/resource/validation`, `ValidateResourceClaimStatusUpdate`. */
import { immutable } from '../../meta/v1/validation.ts'
import { duplicate, forbidden, invalid, invalidEach, required, type FieldError } from '../../values/field-error.ts'
import { dns1123Label } from '../../values/names.ts'
import { atMost, driverName, poolName, requestNames } from './device-validation.ts'
import type { AllocatedDeviceStatus, DeviceRequestAllocationResult, ResourceClaim, ResourceClaimConsumerReference } from './types.gen.ts'

const MAX_CONSUMERS = 256
const FIELD = 'status'

export function validateClaimStatus(claim: ResourceClaim, old: ResourceClaim): FieldError[] {
  const { allocation, reservedFor = [], devices = [] } = claim.status
  const results = allocation?.devices.results ?? []
  const names = requestNames(claim.spec.devices)
  return [
    ...(allocation && old.status.allocation ? immutable(`${FIELD}.allocation`, allocation, old.status.allocation) : []),
    ...atMost(`${FIELD}.allocation.devices.results`, results),
    ...results.flatMap((result, i) => validateResult(result, names, `${FIELD}.allocation.devices.results[${i}]`)),
    ...validateConsumers(claim, old, reservedFor),
    ...devices.flatMap((device, i) => validateDevice(device, devices, i, results)),
  ]
}

function validateResult(result: DeviceRequestAllocationResult, names: ReadonlySet<string>, field: string): FieldError[] {
  const { request, driver, pool, device } = result
  return [
    ...(names.has(request) ? [] : [invalid(`${field}.request`, request, 'must be the name of a request in the claim')]),
    ...driverName(driver, `${field}.driver`),
    ...poolName(pool, `${field}.pool`),
    ...(device ? invalidEach(`${field}.device`, device, dns1123Label(device)) : [required(`${field}.device`)]),
  ]
}

function validateConsumers(claim: ResourceClaim, old: ResourceClaim, users: readonly ResourceClaimConsumerReference[]): FieldError[] {
  const field = `${FIELD}.reservedFor`
  const out = atMost(field, users, MAX_CONSUMERS)
  for (const [i, { resource, name, uid }] of users.entries()) {
    if (!resource) out.push(required(`${field}[${i}].resource`))
    if (!name) out.push(required(`${field}[${i}].name`))
    if (!uid) out.push(required(`${field}[${i}].uid`))
    else if (users.findIndex((one) => one.uid === uid) < i) out.push(duplicate(`${field}[${i}].uid`, uid))
  }
  if (users.length > 0 && !claim.status.allocation) out.push(forbidden(field, 'may not be specified when `allocated` is not set'))
  const before = new Set((old.status.reservedFor ?? []).map(({ uid }) => uid))
  if (claim.metadata.deletionTimestamp && users.some(({ uid }) => !before.has(uid)))
    out.push(forbidden(field, 'new entries may not be added while `deallocationRequested` or `deletionTimestamp` are set'))
  return out
}

function validateDevice(
  told: AllocatedDeviceStatus,
  all: readonly AllocatedDeviceStatus[],
  index: number,
  results: readonly DeviceRequestAllocationResult[],
): FieldError[] {
  const field = `${FIELD}.devices[${index}]`
  const same = (one: Pick<AllocatedDeviceStatus, 'driver' | 'pool' | 'device' | 'shareID'>) =>
    one.driver === told.driver && one.pool === told.pool && one.device === told.device && one.shareID === told.shareID
  const out = results.some(same) ? [] : [invalid(field, told.device, 'must be an allocated device in the claim')]
  return all.findIndex(same) < index ? [...out, duplicate(field, told.device)] : out
}
