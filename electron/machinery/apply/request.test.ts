import { describe, expect, it } from 'vitest'
import { Codecs } from '../decode/codec.ts'
import type { FieldValidation } from '../decode/request.ts'
import type { JsonObject } from '../json-value.ts'
import type { StatusError } from '../status.ts'
import { modelType } from '../testing/types.ts'
import { applyRequest } from './request.ts'

const type = modelType('core.v1.ConfigMap')
const codec = new Codecs().for<JsonObject>(type)
const CONFIG_MAP = { group: '', version: 'v1', kind: 'ConfigMap' }
const apply = (text: string, validation: FieldValidation = 'Strict') =>
  applyRequest(
    null,
    { body: Buffer.from(text), requester: { manager: 'me', now: '2026-11-21T08:00:00Z' }, force: false, validation },
    CONFIG_MAP,
    { apiVersion: 'v1', type },
    codec,
  )
const faultOf = (text: string, validation?: FieldValidation): string => {
  try {
    apply(text, validation)
  } catch (error) {
    const { status } = error as StatusError
    expect(status.code).toBe(400)
    return status.message ?? ''
  }
  return 'no fault'
}
const HEAD = 'apiVersion: v1\nkind: ConfigMap\nmetadata:\n  name: a\n'

describe('applyRequest', () => {
  it('reads YAML and JSON', () => {
    const wanted = { apiVersion: 'v1', kind: 'ConfigMap', metadata: { name: 'a' }, data: { k: 'v' } }
    expect(apply(`${HEAD}data: {k: v}`).object).toMatchObject(wanted)
    expect(apply(JSON.stringify(wanted)).object).toMatchObject(wanted)
  })

  it('refuses keys that are there twice, warns of them, or takes the last', () => {
    const text = `${HEAD}data:\n  k: v\n  k: w\n`
    const fault = 'error converting YAML to JSON: yaml: unmarshal errors:\n  line 7: key "k" already set in map'
    expect(faultOf(text)).toBe(`error strict decoding YAML: ${fault}`)
    expect(apply(text, 'Warn')).toMatchObject({ object: { data: { k: 'w' } }, warnings: [fault] })
    expect(apply(text, 'Ignore').warnings).toEqual([])
    expect(faultOf('{"apiVersion":"v1","kind":"ConfigMap","data":{"k":"v","k":"w"}}')).toMatch(/key "k" already set in map/)
  })

  it.each([
    ['apiVersion: v1\nkind: Secret\n', 'invalid object type: /v1, Kind=Secret'],
    ['apiVersion: apps/v1\nkind: ConfigMap\n', 'invalid object type: apps/v1, Kind=ConfigMap'],
    ['data: {}\n', 'invalid object type: /, Kind='],
    ['[]', 'error decoding YAML: json: cannot unmarshal array into Go value of type map[string]interface {}'],
    ['a: [', expect.stringMatching(/^error decoding YAML: error converting YAML to JSON: yaml: line \d+: /)],
    ['{"a":', expect.stringMatching(/^error decoding YAML: error converting YAML to JSON: yaml: line \d+: /)],
  ])('refuses %j', (text, message: unknown) => {
    expect(faultOf(text)).toEqual(message)
  })
})
