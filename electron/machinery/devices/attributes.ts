/** Names and values of what a device is and has. Source: KEP-4381, kubernetes `dynamic-resource-allocation/structured`. */
import type { DeviceAttribute, Device } from '../../api/resource/v1/types.gen.ts'

/** Names without a domain are of the driver's own: "gpu.example.com/model" is the driver gpu.example.com's "model". */
export function attributeOf({ attributes = {} }: Device, driver: string, qualified: string): DeviceAttribute | undefined {
  const exact = attributes[qualified]
  if (exact) return exact
  const [domain, name] = splitName(qualified, driver)
  return domain === driver ? attributes[name] : undefined
}

/** The domain and the identifier. */
export function splitName(name: string, driver: string): readonly [domain: string, identifier: string] {
  const slash = name.indexOf('/')
  return slash < 0 ? [driver, name] : [name.slice(0, slash), name.slice(slash + 1)]
}

/** The same text for values of the same type that are equal. */
export function attributeIdentity(attribute: DeviceAttribute): string {
  return JSON.stringify(Object.entries(attribute).sort(([a], [b]) => (a < b ? -1 : 1)))
}
