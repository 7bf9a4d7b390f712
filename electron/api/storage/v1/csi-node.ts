import { ageColumn } from '../../columns.ts'
import { defineKind } from '../../kind.ts'
import { nonNegative } from '../../meta/v1/validation.ts'
import { semanticEqual } from '../../values/equal.ts'
import { duplicate, invalid, invalidEach, required, tooLong, type FieldError } from '../../values/field-error.ts'
import { byteLength, qualifiedName } from '../../values/names.ts'
import { csiDriverName } from '../../core/v1/pod-spec/volume-sources.ts'
import type { CSINode, CSINodeDriver } from './types.gen.ts'

/** CSI's own limit on the id of a node. */
const MAX_NODE_ID = 256

/** Which CSI drivers a node has; named as the node. */
export const csiNode = defineKind<CSINode>({
  group: 'storage.k8s.io',
  version: 'v1',
  kind: 'CSINode',
  resource: 'csinodes',
  namespaced: false,
  model: 'io.k8s.api.storage.v1.CSINode',
  columns: [
    { name: 'Drivers', type: 'integer', description: 'How many drivers it has', value: ({ spec }) => spec.drivers.length },
    ageColumn,
  ],
  strategy: {
    validate: ({ spec }) => validateDrivers(spec.drivers, 'spec.drivers'),
    validateUpdate: ({ spec }, old) =>
      spec.drivers.flatMap((driver, i) => {
        const before = old.spec.drivers.find(({ name }) => name === driver.name)
        return before && !semanticEqual(driver, before) ? [invalid(`spec.drivers[${i}]`, driver, 'field is immutable')] : []
      }),
  },
})

function validateDrivers(drivers: readonly CSINodeDriver[], field: string): FieldError[] {
  return drivers.flatMap(({ name, nodeID, allocatable, topologyKeys = [] }, i) => {
    const at = `${field}[${i}]`
    const out = csiDriverName(name, `${at}.name`)
    if (drivers.findIndex((one) => one.name === name) < i) out.push(duplicate(`${at}.name`, name))
    if (!nodeID) out.push(required(`${at}.nodeID`))
    else if (byteLength(nodeID) > MAX_NODE_ID) out.push(tooLong(`${at}.nodeID`, MAX_NODE_ID))
    out.push(...nonNegative(`${at}.allocatable.count`, allocatable?.count))
    topologyKeys.forEach((key, j) => {
      if (topologyKeys.indexOf(key) < j) out.push(duplicate(`${at}.topologyKeys[${j}]`, key))
      else if (!key) out.push(required(`${at}.topologyKeys`, 'topologyKey cannot be empty'))
      else out.push(...invalidEach(`${at}.topologyKeys`, key, qualifiedName(key)))
    })
    return out
  })
}
