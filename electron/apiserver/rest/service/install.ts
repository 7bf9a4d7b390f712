/** The parts of Service allocation, put together. */
import type { Clock } from '../../../base/clock.ts'
import type { Random } from '../../../base/random.ts'
import type { IPAddress } from '../../../api/networking/v1/types.gen.ts'
import { formatTime } from '../../../api/values/time.ts'
import type { Store } from '../../../store/store.ts'
import { Layout } from '../../cache/layout.ts'
import { resourcePrefix } from '../../registry/keys.ts'
import { ServiceAllocation } from './allocation.ts'
import type { AddressRange, PortRange } from './ranges.ts'
import { type Holder, RecordSpace } from './records.ts'

const IP_ADDRESSES = { group: 'networking.k8s.io', version: 'v1', kind: 'IPAddress', resource: 'ipaddresses' }
const PORT_PREFIX = '/registry/ranges/servicenodeports/'

export interface ServiceRanges {
  readonly addresses: AddressRange
  readonly ports: PortRange
}

export interface ServiceParts {
  readonly hooks: ServiceAllocation
  readonly addressRecords: RecordSpace
  readonly portRecords: RecordSpace
}

/** The record of an address is an IPAddress object, as upstream's; that of a port is ours. */
export function serviceParts(ranges: ServiceRanges, deps: { store: Store; clock: Clock; random: Random }): ServiceParts {
  const { store, clock, random } = deps
  const layout = new Layout(IP_ADDRESSES)
  const addressRecords = new RecordSpace({
    store,
    prefix: resourcePrefix(IP_ADDRESSES),
    value: (name, holder) => layout.encode(ipAddress(name, holder, random.uuid(), clock.now())),
  })
  const portRecords = new RecordSpace({ store, prefix: PORT_PREFIX, value: (_name, holder) => Buffer.from(JSON.stringify(holder)) })
  return { hooks: new ServiceAllocation({ ...ranges, addressRecords, portRecords, random }), addressRecords, portRecords }
}

function ipAddress(address: string, holder: Holder, uid: string, now: number): IPAddress {
  return {
    apiVersion: 'networking.k8s.io/v1',
    kind: 'IPAddress',
    metadata: {
      name: address,
      uid,
      resourceVersion: '',
      generation: 1,
      creationTimestamp: formatTime(now),
      labels: { 'ipaddress.kubernetes.io/ip-family': 'IPv4', 'ipaddress.kubernetes.io/managed-by': 'ipallocator.k8s.io' },
    },
    spec: { parentRef: { resource: 'services', ...holder } },
  }
}
