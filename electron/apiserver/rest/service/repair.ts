import type { Service } from '../../../api/core/v1/types.gen.ts'
import type { Logger } from '../../../base/logger.ts'
import type { Op, Store } from '../../../store/store.ts'
import { heldAddress, heldPorts } from './service-spec.ts'
import type { RecordSpace } from './records.ts'

export interface RepairDeps {
  readonly store: Store
  readonly logger: Logger
  readonly addressRecords: RecordSpace
  readonly portRecords: RecordSpace
}

/**
 * Makes the records say what the Services say: for a state that was edited or restored in part. Two Services that claim the same name
 * are reported; the record stays whose it is.
 */
export async function repairRecords(services: readonly Service[], deps: RepairDeps): Promise<void> {
  const wanted = (held: (service: Service) => readonly string[]) => {
    const holders = new Map<string, Service>()
    for (const service of services) {
      for (const name of held(service)) {
        const other = holders.get(name)
        if (other) deps.logger.warn('two Services hold the same', { name, services: [labelOf(other), labelOf(service)] })
        else holders.set(name, service)
      }
    }
    return holders
  }
  const addresses = wanted((service) => [heldAddress(service) ?? []].flat())
  const ports = wanted((service) => heldPorts(service).map(String))
  await align(deps, deps.addressRecords, addresses)
  await align(deps, deps.portRecords, ports)
}

async function align({ store, logger }: RepairDeps, space: RecordSpace, wanted: ReadonlyMap<string, Service>): Promise<void> {
  const found = await space.all()
  space.forget()
  for (const [name, service] of wanted) {
    if (found.has(name)) continue
    const { compare, op } = space.take(name, { namespace: service.metadata.namespace ?? '', name: service.metadata.name })
    await store.txn({ compare: [compare], success: [op] })
    logger.warn('a record that a Service needs was missing', { name, service: labelOf(service) })
  }
  for (const [name, revision] of found) {
    if (wanted.has(name)) continue
    const op: Op = space.release(name)
    if (op.type !== 'delete') continue
    await store.txn({ compare: [{ key: op.key, target: 'mod', result: 'equal', operand: revision }], success: [op] })
    logger.warn('a record without a Service was removed', { name })
  }
}

function labelOf({ metadata }: Service): string {
  return `${metadata.namespace ?? ''}/${metadata.name}`
}
