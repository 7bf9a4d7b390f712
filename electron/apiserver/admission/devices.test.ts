import { describe, expect, it } from 'vitest'
import { namespace as namespaceKind } from '../../api/core/v1/namespace.ts'
import { deviceClass } from '../../api/resource/v1/device-class.ts'
import { resourceClaimTemplate } from '../../api/resource/v1/resource-claim-template.ts'
import { resourceSlice } from '../../api/resource/v1/resource-slice.ts'
import { startTestServer } from '../testing/harness.ts'

const select = (...expressions: string[]) => expressions.map((expression) => ({ cel: { expression } }))

describe('expressions about devices', () => {
  it.each([
    ['device.driver', 'must evaluate to bool'],
    ['device.vendor == "x"', "undefined field 'vendor'"],
    ['device.driver ==', 'Syntax error'],
  ])('%s is refused', async (expression, why) => {
    await using server = await startTestServer()
    const spec = { selectors: select('true', expression) }
    await expect(server.client.create(deviceClass, { metadata: { name: 'gpu' }, spec })).rejects.toThrow(
      new RegExp(`spec.selectors\\[1\\].cel.expression: Invalid value: [^]*${why}`),
    )
  })

  it('of templates are looked at, too', async () => {
    await using server = await startTestServer()
    await server.client.create(namespaceKind, { metadata: { name: 'test' } })
    const firstAvailable = [{ name: 'big', deviceClassName: 'gpu', selectors: select('1') }]
    const spec = { metadata: {}, spec: { devices: { requests: [{ name: 'one', firstAvailable }] } } }
    await expect(server.client.create(resourceClaimTemplate, { metadata: { name: 'gpu', namespace: 'test' }, spec })).rejects.toThrow(
      'spec.spec.devices.requests[0].firstAvailable[0].selectors[0].cel.expression',
    )
  })
})

it('a taint of a device is as old as the first word of it', async () => {
  await using server = await startTestServer()
  const { client, clock } = server
  const taint = { key: 'broken', effect: 'NoExecute' as const }
  const pool = { name: 'n', generation: 1, resourceSliceCount: 1 }
  const made = await client.create(resourceSlice, {
    metadata: { name: 'gpus' },
    spec: { driver: 'gpu.example.com', nodeName: 'n', pool, devices: [{ name: 'gpu-0', taints: [taint] }] },
  })
  const first = made.spec.devices?.[0]?.taints?.[0]?.timeAdded
  expect(Date.parse(first ?? '')).toBe(Math.floor(clock.now() / 1000) * 1000)
  await clock.advance(60_000)
  const changed = await client.update(resourceSlice, { ...made, metadata: { ...made.metadata, labels: { seen: 'yes' } } })
  expect(changed.spec.devices?.[0]?.taints?.[0]?.timeAdded).toBe(first)
})
