import { setTimeout as sleep } from 'node:timers/promises'
import { describe, expect, it } from 'vitest'
import { customResourceDefinition } from '../../../api/apiextensions/v1/custom-resource-definition.ts'
import type { CustomResourceDefinition, JSONSchemaProps } from '../../../api/apiextensions/v1/types.gen.ts'
import { defineKind } from '../../../api/kind.ts'
import type { Draft, KubeObject } from '../../../api/meta/v1/object.ts'
import { startTestServer, type TestServer } from '../../testing/harness.ts'

interface Gauge extends KubeObject {
  spec: { level: number; label?: string }
}

const gauge = defineKind<Gauge>({ group: 'example.com', version: 'v1', kind: 'Gauge', resource: 'gauges', namespaced: true, model: '' })

const definition = (level: Draft<JSONSchemaProps>): Draft<CustomResourceDefinition> => {
  const spec = { type: 'object', properties: { level, label: { type: 'string' } } }
  const schema = { openAPIV3Schema: { type: 'object', properties: { spec } } }
  return {
    metadata: { name: 'gauges.example.com' },
    spec: {
      group: 'example.com',
      scope: 'Namespaced',
      names: { plural: 'gauges', kind: 'Gauge' },
      versions: [{ name: 'v1', served: true, storage: true, schema }],
    },
  }
}

const level = (...rules: Draft<JSONSchemaProps>['x-kubernetes-validations'] & object): Draft<JSONSchemaProps> => ({
  type: 'integer',
  'x-kubernetes-validations': rules,
})

const at = { name: 'a', namespace: 'default' }

async function define(server: TestServer, draft: Draft<CustomResourceDefinition>): Promise<void> {
  await server.client.create(customResourceDefinition, draft)
  for (;;) {
    const { status } = await server.client.get(customResourceDefinition, { name: 'gauges.example.com' })
    if (status.conditions?.some((one) => one.type === 'Established' && one.status === 'True')) return
    await sleep(2)
  }
}

/** Until a new object with that level is refused: definitions take effect with their event. */
async function refused(server: TestServer, metadata: Draft<Gauge['metadata']>, value: number): Promise<void> {
  for (;;) {
    try {
      await server.client.create(gauge, { metadata, spec: { level: value } })
    } catch (error) {
      expect(error).toMatchObject({ code: 422 })
      return
    }
    await sleep(2)
  }
}

describe('the rules of a definition', () => {
  it('are compiled before it is stored', async () => {
    await using server = await startTestServer()
    await expect(server.client.create(customResourceDefinition, definition(level({ rule: 'self.x > 1' })))).rejects.toMatchObject({
      code: 422,
      message: expect.stringContaining(
        "compilation failed: ERROR: <input>:1:5: type 'int' does not support field selection\n | self.x > 1\n | ....^",
      ) as string,
    })
  })

  it('hold for defaults', async () => {
    await using server = await startTestServer()
    const wrong = definition({ ...level({ rule: 'self < 10', message: 'too high' }), default: 12 })
    await expect(server.client.create(customResourceDefinition, wrong)).rejects.toThrow(
      'spec.validation.openAPIV3Schema.properties[spec].properties[level].default: Invalid value: 12: too high',
    )
  })

  it('hold for what is created and changed', async () => {
    await using server = await startTestServer()
    await define(server, definition(level({ rule: 'self < 10', message: 'too high' }, { rule: 'self >= oldSelf', message: 'only up' })))
    const make = (value: number) => server.client.create(gauge, { metadata: at, spec: { level: value } })
    await expect(make(10)).rejects.toMatchObject({
      code: 422,
      message: 'Gauge.example.com "a" is invalid: spec.level: Invalid value: 10: too high',
    })
    await make(5)
    const set = (value: number) => server.client.patch(gauge, at, { type: 'merge', body: { spec: { level: value } } })
    expect((await set(6)).spec.level).toBe(6)
    await expect(set(4)).rejects.toThrow('spec.level: Invalid value: 4: only up')
  })

  it('bear with objects from before them that stay as they are', async () => {
    await using server = await startTestServer()
    await define(server, definition({ type: 'integer' }))
    await server.client.create(gauge, { metadata: at, spec: { level: 50 } })
    const strict = definition(level({ rule: 'self < 10' })).spec
    await server.client.patch(
      customResourceDefinition,
      { name: 'gauges.example.com' },
      { type: 'merge', body: { spec: { versions: strict?.versions } } },
    )
    await refused(server, { namespace: 'default', generateName: 'b-' }, 50)
    const changed = await server.client.patch(gauge, at, { type: 'merge', body: { spec: { label: 'x' } } })
    expect(changed.spec).toEqual({ level: 50, label: 'x' })
    await expect(server.client.patch(gauge, at, { type: 'merge', body: { spec: { level: 51 } } })).rejects.toThrow('failed rule: self < 10')
  })

  it('are not asked of an object whose form is wrong', async () => {
    await using server = await startTestServer()
    await define(server, definition(level({ rule: 'self < 10' })))
    const wrong = { metadata: at, spec: { level: 'high' as unknown as number } }
    await expect(server.client.create(gauge, wrong)).rejects.toThrow(
      '<nil>: Invalid value: "null": some validation rules were not checked because the object was invalid; correct the existing errors to complete validation',
    )
  })
})
