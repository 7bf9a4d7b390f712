import { describe, expect, it } from 'vitest'
import { configMap, pod } from '../../api/kinds.gen.ts'
import type { Pod } from '../../api/core/v1/types.gen.ts'
import { KindTypes } from '../registry/kind-types.ts'
import { openEnvelope, ProtobufDecoder } from './decode.ts'
import { WireReader } from './wire.ts'

/** A field whose value is bytes, text or a message. */
const field = (number: number, value: string | Uint8Array | readonly Uint8Array[]): Buffer => {
  const bytes = typeof value === 'string' ? Buffer.from(value) : value instanceof Uint8Array ? value : Buffer.concat(value)
  return Buffer.concat([varint(number * 8 + 2), varint(bytes.length), bytes])
}
const number = (n: number, value: number | bigint): Buffer => Buffer.concat([varint(n * 8), varint(BigInt.asUintN(64, BigInt(value)))])
function varint(value: number | bigint): Buffer {
  const out: number[] = []
  for (let rest = BigInt(value); ; rest >>= 7n) {
    if (rest < 0x80n) return Buffer.from([...out, Number(rest)])
    out.push(Number(rest & 0x7fn) | 0x80)
  }
}
const envelope = (apiVersion: string, kind: string, raw: Uint8Array) =>
  Buffer.concat([Buffer.from('k8s\0'), field(1, [field(1, apiVersion), field(2, kind)]), field(2, raw), field(3, ''), field(4, '')])

const PREFIX = 'io.k8s.api.'
const decode = (model: string, ...parts: Buffer[]) => new ProtobufDecoder().decode(PREFIX + model, Buffer.concat(parts))

describe('protobuf', () => {
  it('is opened only if it is what it says', () => {
    expect(openEnvelope(envelope('v1', 'Pod', Buffer.from('raw')))).toEqual({ apiVersion: 'v1', kind: 'Pod', raw: Buffer.from('raw') })
    expect(() => openEnvelope(Buffer.from('{}'))).toThrow('expected prefix [107 56 115 0]')
  })

  it('has maps, lists, numbers and nested messages', () => {
    const container = [field(1, 'c'), field(2, 'image'), field(6, [field(1, 'http'), number(3, 8080), field(4, 'TCP')])]
    const spec = [field(2, container), number(4, 30), field(7, [field(1, 'disk'), field(2, 'ssd')])]
    const metadata = [field(1, 'p'), field(11, [field(1, 'a'), field(2, 'b')]), number(7, 3)]
    expect(decode('core.v1.Pod', field(1, metadata), field(2, spec))).toEqual({
      metadata: { name: 'p', labels: { a: 'b' }, generation: 3 },
      spec: {
        containers: [{ name: 'c', image: 'image', ports: [{ name: 'http', containerPort: 8080, protocol: 'TCP' }] }],
        terminationGracePeriodSeconds: 30,
        nodeSelector: { disk: 'ssd' },
      },
    })
  })

  it('puts into the parent what lies there in JSON', () => {
    expect(decode('core.v1.Volume', field(1, 'v'), field(2, [field(2, [field(1, 'Memory')])]))).toEqual({
      name: 'v',
      emptyDir: { medium: 'Memory' },
    })
    expect(decode('core.v1.ConfigMapKeySelector', field(1, [field(1, 'cm')]), field(2, 'key'), number(3, 1))).toEqual({
      name: 'cm',
      key: 'key',
      optional: true,
    })
    expect(
      decode('core.v1.Probe', field(1, [field(2, [field(1, '/'), field(2, [number(1, 1), field(3, 'http')])])]), number(2, 5)),
    ).toEqual({
      httpGet: { path: '/', port: 'http' },
      initialDelaySeconds: 5,
    })
  })

  it('writes quantities, times and bytes as JSON does', () => {
    const limits = field(1, [field(1, 'cpu'), field(2, [field(1, '100m')])])
    expect(decode('core.v1.ResourceRequirements', limits)).toEqual({ limits: { cpu: '100m' } })
    expect(decode('core.v1.Secret', field(2, [field(1, 'k'), field(2, Buffer.from([0, 255]))]))).toEqual({ data: { k: 'AP8=' } })
    const spec = [field(3, [number(1, 1_700_000_000), number(2, 123_456_000)])]
    expect(decode('coordination.v1.Lease', field(2, spec))).toEqual({ spec: { acquireTime: '2023-11-14T22:13:20.123456Z' } })
    expect(decode('core.v1.Pod', field(1, [field(8, []), field(9, [number(1, 0)])]))).toEqual({
      metadata: { deletionTimestamp: '1970-01-01T00:00:00Z' },
    })
    expect(
      decode(
        'apps.v1.RollingUpdateDeployment',
        field(1, [number(1, 1), number(2, 0), field(3, '25%')]),
        field(2, [number(1, 0), number(2, 3)]),
      ),
    ).toEqual({
      maxUnavailable: '25%',
      maxSurge: 3,
    })
  })

  it('reads negative numbers, and lists as values of maps', () => {
    expect(decode('core.v1.Toleration', number(5, -5))).toEqual({ tolerationSeconds: -5 })
    const extra = field(4, [field(1, 'scopes'), field(2, [field(1, 'a'), field(1, 'b')])])
    expect(decode('authentication.v1.UserInfo', field(1, 'u'), extra)).toEqual({ username: 'u', extra: { scopes: ['a', 'b'] } })
  })

  it('passes over what it does not know', () => {
    const unknown = [
      number(900, 1),
      field(901, 'x'),
      Buffer.concat([varint(902 * 8 + 1), Buffer.alloc(8)]),
      Buffer.concat([varint(903 * 8 + 5), Buffer.alloc(4)]),
    ]
    expect(decode('core.v1.ConfigMap', ...unknown, field(2, [field(1, 'k'), field(2, 'v')]))).toEqual({ data: { k: 'v' } })
  })

  it('that is cut short or nonsense is refused', () => {
    const whole = Buffer.concat([field(1, [field(1, 'name')])])
    expect(() => decode('core.v1.ConfigMap', whole.subarray(0, -1))).toThrow('unexpected end')
    expect(() => new WireReader(Buffer.alloc(11, 0xff)).varint()).toThrow('too long')
    expect(() => decode('core.v1.ConfigMap', Buffer.from([0x0f]))).toThrow('wire type 7')
    expect(() => new ProtobufDecoder().decode('io.k8s.api.core.v1.Nothing', Buffer.alloc(0))).toThrow('send it as JSON')
  })

  it('is read into whole objects of a kind, with defaults', () => {
    const types = new KindTypes()
    const raw = Buffer.concat([field(1, [field(1, 'p'), field(3, 'default')]), field(2, [field(2, [field(1, 'c'), field(2, 'i')])])])
    const object = types.fromProtobuf(pod, envelope('v1', 'Pod', raw), 'Strict', () => {}) as Pod
    expect(object).toMatchObject({
      kind: 'Pod',
      metadata: { name: 'p' },
      spec: { restartPolicy: 'Always', containers: [{ imagePullPolicy: 'Always' }] },
    })
    expect(() => types.fromProtobuf(configMap, envelope('v1', 'Pod', raw), 'Strict', () => {})).toThrow('cannot be handled as a ConfigMap')
    expect(() => types.fromProtobuf(pod, Buffer.from('{}'), 'Strict', () => {})).toThrow('does not appear to be a protobuf message')
  })
})

describe('definitions of custom resources', () => {
  const SCHEMA = 'io.k8s.apiextensions-apiserver.pkg.apis.apiextensions.v1.JSONSchemaProps'
  const schema = (...parts: Buffer[]) => new ProtobufDecoder().decode(SCHEMA, Buffer.concat(parts))
  const text = field(5, 'string')
  const zeros = [field(1, ''), field(4, ''), field(6, ''), number(10, 0), field(15, ''), number(18, 0), number(37, 0)]

  it('have schemas in schemas, without the zeros that protobuf writes', () => {
    const map = field(29, [
      field(1, 'labels'),
      field(2, [field(5, 'object'), ...zeros, field(30, [number(1, 1), field(2, [text, ...zeros])])]),
    ])
    const list = field(29, [field(1, 'names'), field(2, [field(5, 'array'), field(24, [field(1, [text, ...zeros])]), number(17, 0)])])
    expect(schema(field(5, 'object'), ...zeros, map, list, field(23, 'names'))).toEqual({
      type: 'object',
      required: ['names'],
      properties: {
        labels: { type: 'object', additionalProperties: { type: 'string' } },
        names: { type: 'array', items: { type: 'string' }, minItems: 0 },
      },
    })
  })

  it('have values of any kind, and what may be a schema or something else', () => {
    const json = (n: number, value: unknown) => field(n, [field(1, JSON.stringify(value))])
    expect(schema(json(8, { a: [0, false] }), json(20, 'x'), json(20, 0), field(30, [number(1, 0)]), field(33, [number(1, 1)]))).toEqual({
      default: { a: [0, false] },
      enum: ['x', 0],
      additionalProperties: false,
      additionalItems: true,
    })
    expect(schema(json(8, false), json(36, ''))).toEqual({ default: false, example: '' })
    const entry = field(32, [field(1, 'a'), field(2, [field(2, 'b'), field(2, 'c')])])
    expect(schema(entry, field(24, [field(2, [text]), field(2, [text])]))).toEqual({
      dependencies: { a: ['b', 'c'] },
      items: [{ type: 'string' }, { type: 'string' }],
    })
    expect(schema(field(44, [field(1, 'self > 0'), field(2, 'positive')]), number(38, 1), field(42, 'set'))).toEqual({
      'x-kubernetes-validations': [{ rule: 'self > 0', message: 'positive' }],
      'x-kubernetes-preserve-unknown-fields': true,
      'x-kubernetes-list-type': 'set',
    })
  })

  it('are read whole', () => {
    const names = [field(1, 'things'), field(2, ''), field(4, 'Thing'), field(5, '')]
    const version = [field(1, 'v1'), number(2, 1), number(3, 1), field(4, [field(1, [field(5, 'object')])]), field(5, [field(1, '')])]
    const spec = [field(1, 'example.com'), field(3, names), field(4, 'Namespaced'), field(7, version), number(10, 0)]
    const model = 'io.k8s.apiextensions-apiserver.pkg.apis.apiextensions.v1.CustomResourceDefinition'
    const raw = Buffer.concat([field(1, [field(1, 'things.example.com')]), field(2, spec)])
    const decoded = new ProtobufDecoder().decode(model, raw)
    expect(decoded).toMatchObject({
      metadata: { name: 'things.example.com' },
      spec: {
        ...{ group: 'example.com', scope: 'Namespaced', names: { plural: 'things', kind: 'Thing' } },
        versions: [
          { name: 'v1', served: true, storage: true, schema: { openAPIV3Schema: { type: 'object' } }, subresources: { status: {} } },
        ],
      },
    })
  })
})
