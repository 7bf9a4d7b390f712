import { describe, expect, it } from 'vitest'
import { StatusError } from '../status.ts'
import { modelType } from '../testing/types.ts'
import { Codecs } from './codec.ts'
import { decodeRequest, type BodyFormat, type FieldValidation } from './request.ts'

const DEPLOYMENT = { group: 'apps', version: 'v1', kind: 'Deployment' }
const codec = new Codecs().for<Record<string, unknown>>(modelType('apps.v1.Deployment'))
const decode = (text: string, validation: FieldValidation = 'Strict', format: BodyFormat = 'json') =>
  decodeRequest(Buffer.from(text), format, DEPLOYMENT, codec, validation)
const faultOf = (text: string, validation: FieldValidation = 'Strict', format: BodyFormat = 'json'): string => {
  try {
    decode(text, validation, format)
  } catch (error) {
    expect(error).toBeInstanceOf(StatusError)
    expect((error as StatusError).code).toBe(400)
    return (error as Error).message
  }
  return 'no fault'
}

describe('decodeRequest', () => {
  it('fills in apiVersion and kind, and writes them first', () => {
    const { object } = decode('{"metadata":{"name":"a"}}')
    expect(Object.keys(object)).toEqual(['apiVersion', 'kind', 'metadata', 'spec', 'status'])
    expect(object).toMatchObject({ apiVersion: 'apps/v1', kind: 'Deployment' })
    expect(decode('{"kind":"Deployment"}').object).toMatchObject({ apiVersion: 'apps/v1' })
  })

  it('refuses unknown fields, warns of them, or drops them', () => {
    const text = '{"spec":{"foo":1,"replicas":2},"bar":2}'
    expect(faultOf(text)).toBe(
      'Deployment in version "v1" cannot be handled as a Deployment: strict decoding error: unknown field "spec.foo", unknown field "bar"',
    )
    expect(decode(text, 'Warn')).toMatchObject({
      object: { spec: { replicas: 2 } },
      warnings: ['unknown field "spec.foo"', 'unknown field "bar"'],
    })
    expect(decode(text, 'Ignore').warnings).toEqual([])
  })

  it('reads YAML with its own words for keys that are there twice', () => {
    const text = 'spec:\n  replicas: 2\n  replicas: 3\n  paused: yes\n  foo: 1\n'
    expect(decode(text, 'Warn', 'yaml')).toMatchObject({
      object: { spec: { replicas: 3, paused: true } },
      warnings: ['yaml: unmarshal errors:\n  line 3: key "replicas" already set in map', 'unknown field "spec.foo"'],
    })
    expect(decode(text, 'Ignore', 'yaml').warnings).toEqual([])
    expect(faultOf('a: [', 'Strict', 'yaml')).toMatch(/^the object provided is unrecognized \(must be of type Deployment\): yaml: line /)
  })

  it.each([
    [
      '{"spec":{"replicas":"2"}}',
      'Deployment in version "v1" cannot be handled as a Deployment: json: cannot unmarshal string into Go struct field DeploymentSpec.spec.replicas of type int32',
    ],
    [
      '{"kind":"Pod","apiVersion":"v1"}',
      'Pod in version "v1" cannot be handled as a Deployment: no kind "Pod" is registered for version "v1"',
    ],
    [
      '{"kind":"Deployment","apiVersion":"apps/v9"}',
      'the API version in the data (apps/v9) does not match the expected API version (apps/v1)',
    ],
    ['{"apiVersion":"a/b/c"}', 'unexpected GroupVersion string: a/b/c'],
    [
      '',
      "the object provided is unrecognized (must be of type Deployment): couldn't get version/kind; json parse error: unexpected end of JSON input (<empty>)",
    ],
    [
      'hello world, this is more than thirty bytes',
      "the object provided is unrecognized (must be of type Deployment): couldn't get version/kind; json parse error: invalid character 'h' looking for beginning of value (68656c6c6f20776f726c642c2074686973206973206d6f7265207468616e ...)",
    ],
    [
      '{"kind":5}',
      `the object provided is unrecognized (must be of type Deployment): couldn't get version/kind; json parse error: json: cannot unmarshal number into Go struct field .kind of type string ({"kind":5})`,
    ],
    [
      '[]',
      `the object provided is unrecognized (must be of type Deployment): couldn't get version/kind; json parse error: json: cannot unmarshal array into Go value of type struct { APIVersion string "json:\\"apiVersion,omitempty\\""; Kind string "json:\\"kind,omitempty\\"" } (5b5d)`,
    ],
  ])('refuses %j', (text, message) => {
    expect(faultOf(text)).toBe(message)
  })
})
