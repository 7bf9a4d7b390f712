import { describe, expect, it } from 'vitest'
import { Codecs } from '../decode/codec.ts'
import type { FieldValidation } from '../decode/request.ts'
import type { JsonObject } from '../json-value.ts'
import type { StatusError } from '../status.ts'
import { modelType } from '../testing/types.ts'
import { patchObject, type PatchType } from './request.ts'

const codec = new Codecs().for<JsonObject>(modelType('apps.v1.Deployment'))
const current = codec.decode({ apiVersion: 'apps/v1', kind: 'Deployment', metadata: { name: 'a' }, spec: { replicas: 1 } }).object
const patch = (type: PatchType, body: unknown, validation: FieldValidation = 'Strict') =>
  patchObject(current, type, Buffer.from(typeof body === 'string' ? body : JSON.stringify(body)), codec, validation)
const faultOf = (type: PatchType, body: unknown, validation?: FieldValidation): string => {
  try {
    patch(type, body, validation)
  } catch (error) {
    const { status } = error as StatusError
    return `${status.code} ${status.message}`
  }
  return 'no fault'
}

describe('patchObject', () => {
  it.each<[PatchType, unknown]>([
    ['json', [{ op: 'replace', path: '/spec/replicas', value: 3 }]],
    ['merge', { spec: { replicas: 3 } }],
    ['strategic', { spec: { replicas: 3 } }],
  ])('applies a %s patch and decodes the result', (type, body) => {
    expect(patch(type, body).object).toMatchObject({ spec: { replicas: 3, template: { spec: { containers: [] } } } })
    expect(current).toMatchObject({ spec: { replicas: 1 } })
  })

  it('warns of unknown and duplicate fields, or refuses them', () => {
    expect(patch('merge', '{"spec":{"foo":1,"foo":2}}', 'Warn').warnings).toEqual([
      'duplicate field "spec.foo"',
      'unknown field "spec.foo"',
    ])
    expect(patch('merge', '{"spec":{"foo":1,"foo":2}}', 'Ignore').warnings).toEqual([])
    expect(patch('json', [{ op: 'test', path: '/kind', value: 'Deployment', x: 1 }], 'Warn').warnings).toEqual([
      'json patch unknown field "[0].x"',
    ])
    expect(faultOf('strategic', { spec: { foo: 1 } })).toBe(
      '422  "" is invalid: patch: Invalid value: "map[spec:map[foo:1]]": strict decoding error: unknown field "spec.foo"',
    )
  })

  it('refuses results that are no object of the type', () => {
    expect(faultOf('merge', { spec: { replicas: 'x' } })).toMatch(
      /^422 {2}"" is invalid: patch: Invalid value: ".*": json: cannot unmarshal string into Go struct field DeploymentSpec.spec.replicas of type int32$/,
    )
  })

  it.each<[PatchType, string, string]>([
    ['merge', '{', '400 error decoding patch: unexpected end of JSON input'],
    ['merge', '[]', '400 error decoding patch: json: cannot unmarshal array into Go value of type map[string]interface {}'],
    ['strategic', '{', '400 unexpected end of JSON input'],
    ['strategic', '5', '400 json: cannot unmarshal number into Go value of type map[string]interface {}'],
    ['json', '{}', '400 error decoding patch: json: cannot unmarshal object into Go value of type jsonpatch.Patch'],
    ['merge', '{"a":'.repeat(1001) + '1' + '}'.repeat(1001), '400 error decoding patch: exceeded max depth'],
    ['json', '[{"op":"remove","path":"/x"}]', '422 the server rejected our request due to an error in our request'],
  ])('refuses the %s patch %s', (type, body, message) => {
    expect(faultOf(type, body)).toBe(message)
  })
})
