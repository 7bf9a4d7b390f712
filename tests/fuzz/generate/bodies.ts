/** Values as the bytes of a request's body, whole and broken. */
import { stringify } from 'yaml'
import type { Dice } from './dice.ts'

export interface Body {
  readonly bytes: Buffer
  readonly type: string
}

export const JSON_TYPE = 'application/json'

export function jsonBody(value: unknown, type = JSON_TYPE): Body {
  return { bytes: Buffer.from(JSON.stringify(value) ?? 'null'), type }
}

/** As a client would write it: mostly JSON, now and then YAML. */
export function plainBody(dice: Dice, value: unknown): Body {
  if (dice.chance(0.9)) return jsonBody(value)
  return { bytes: Buffer.from(stringify(JSON.parse(JSON.stringify(value)), { version: '1.1' })), type: 'application/yaml' }
}

const TYPES = [
  '',
  JSON_TYPE,
  'application/json; charset=utf-16',
  'APPLICATION/JSON',
  'application/json;',
  'application/yaml',
  'application/vnd.kubernetes.protobuf',
  'application/cbor',
  'application/x-www-form-urlencoded',
  'multipart/form-data; boundary=x',
  'text/plain',
  'application/json-patch+json',
  'application/merge-patch+json',
  'application/strategic-merge-patch+json',
  'application/apply-patch+yaml',
  'application/apply-patch+cbor',
  '/',
  ';;;',
  'a'.repeat(5000),
]

/** Text that is no JSON, or is more than JSON.parse shows. */
const BROKEN_JSON = [
  '',
  '{',
  '}',
  'null',
  '[]',
  '"x"',
  '1',
  '{}{}',
  '{"a":}',
  '{"a":1,}',
  "{'a':1}",
  '{"a":01}',
  '{"a":1e999999}',
  '{"a":-}',
  '{"a":"\u0001"}',
  '{"a":"\\x"}',
  '{"a":"\\ud800"}',
  '\ufeff{}',
  '{"metadata":{"name":"x"},"metadata":{"name":"y"}}',
  '{"kind":"ConfigMap","Kind":"Pod"}',
  '{"__proto__":{"a":1},"metadata":{"__proto__":{"name":"x"}}}',
  '{"metadata":null,"spec":null,"status":null}',
  '{"metadata":[],"spec":[]}',
  '{"metadata":{"name":{"a":1}}}',
  '{"kind":1}',
  '{"apiVersion":{}}',
  '{"kind":"Status","apiVersion":"v1"}',
  '{"apiVersion":"a/b/c","kind":"X"}',
  '{"metadata":{"annotations":{"a":1}}}',
  '{"metadata":{"creationTimestamp":5,"deletionTimestamp":"x"}}',
  '{"metadata":{"managedFields":[{"fieldsV1":{"f:a":{"k:{":{}}},"operation":"Apply","manager":"x","apiVersion":"v1"}]}}',
  '{"metadata":{"managedFields":[{"fieldsV1":{"":{}, "x":1}}]}}',
  '{"metadata":{"ownerReferences":[null,{},{"uid":1}]}}',
  '{"data":{"a":18446744073709551616}}',
]

const BROKEN_YAML = [
  'a: [',
  '%YAML 9.9\n---\na: 1',
  'a: &x [*x]',
  'a: &a {b: *a}',
  '- - - - -',
  'a: 1\na: 2',
  '---\na: 1\n---\nb: 2\n',
  'a: !!python/object:x {}',
  'a: !!binary "***"',
  '? {a: b}\n: c',
  '<<: {a: 1}',
  '<<: *nope',
  'a: 0o17\nb: 0x1F\nc: 1_000\nd: yes\ne: .inf\nf: .nan\ng: 2001-01-01',
  '\t- a',
  'a:\n\t b: 1',
  '"\\q"',
  '__proto__: {a: 1}',
  'kind: {a: 1}\n',
  'metadata:\n  name: fz-yaml\n  labels: {a: 1, b: true, c: null}',
]

/** Aliases that double with each line. */
function billionLaughs(): string {
  const lines = ['a0: &a0 [x,x,x,x,x,x,x,x,x]']
  for (let i = 1; i < 9; i++)
    lines.push(
      `a${i}: &a${i} [${Array<string>(9)
        .fill(`*a${i - 1}`)
        .join(',')}]`,
    )
  return lines.join('\n')
}

const deep = (depth: number) => `${'{"a":'.repeat(depth)}1${'}'.repeat(depth)}`
const deepList = (depth: number) => `{"data":${'['.repeat(depth)}${']'.repeat(depth)}}`

export function brokenBody(dice: Dice, value: unknown): Body {
  const type = dice.chance(0.7) ? JSON_TYPE : dice.one(TYPES)
  const text = (it: string, as = type): Body => ({ bytes: Buffer.from(it), type: as })
  const whole = JSON.stringify(value) ?? 'null'
  switch (dice.int(14)) {
    case 0:
      return text(dice.one(BROKEN_JSON))
    case 1:
      return text(dice.one(BROKEN_YAML), dice.one(['application/yaml', 'application/apply-patch+yaml']))
    case 2:
      return text(whole.slice(0, dice.int(whole.length)))
    case 3: {
      const bytes = Buffer.from(whole)
      for (let i = 1 + dice.int(4); i > 0; i--) bytes[dice.int(bytes.length)] = dice.int(256)
      return { bytes, type }
    }
    case 4:
      return {
        bytes: Buffer.concat([
          Buffer.from('{"metadata":{"name":"fz-'),
          Buffer.from([0xff, 0xc0, 0x80, 0xed, 0xa0, 0x80]),
          Buffer.from('"}}'),
        ]),
        type,
      }
    case 5:
      return text(deep(dice.one([10, 999, 1001, 9999, 10_001, 100_000])))
    case 6:
      return text(deepList(dice.one([100, 1001, 20_000, 500_000])), dice.one([JSON_TYPE, 'application/yaml']))
    case 7:
      return text(`{"metadata":{"name":"fz-big"},"data":{"a":"${'x'.repeat(dice.one([1 << 20, (3 << 20) - 60, (3 << 20) + 1]))}"}}`)
    case 8:
      return { bytes: protobufJunk(dice), type: 'application/vnd.kubernetes.protobuf' }
    case 9:
      return { bytes: dice.bytes(dice.int(2000)), type: dice.one(TYPES) }
    case 10:
      return text(whole, dice.one(TYPES))
    case 11:
      return dice.chance(0.2) ? text(billionLaughs(), 'application/yaml') : text(manyKeys(dice), type)
    case 12:
      return text(whole.replace('{', '{"metadata":{"name":"fz-twice"},'))
    default:
      return text(`[${whole},${whole}]`)
  }
}

function manyKeys(dice: Dice): string {
  const count = dice.one([100, 5000, 60_000])
  return `{"metadata":{"name":"fz-keys"},"data":{${Array.from({ length: count }, (_, i) => `"k${dice.chance(0.1) ? 0 : i}":"v"`).join(',')}}}`
}

const field = (number: number, bytes: Buffer) => Buffer.concat([Buffer.from([(number << 3) | 2]), varint(bytes.length), bytes])

function varint(value: number): Buffer {
  const out: number[] = []
  for (; value > 127; value >>>= 7) out.push((value & 127) | 128)
  return Buffer.from([...out, value])
}

/** The envelope is right, or nearly; what is in it is not. */
function protobufJunk(dice: Dice): Buffer {
  const type = Buffer.concat([field(1, Buffer.from('v1')), field(2, Buffer.from(dice.one(['Pod', 'ConfigMap', 'Secret', 'Service'])))])
  const name = field(1, field(1, Buffer.from(`fz-${dice.int(1000)}`)))
  const nested = (depth: number): Buffer => (depth === 0 ? dice.bytes(4) : field(dice.one([1, 2, 3]), nested(depth - 1)))
  const raw = dice.one([
    () => dice.bytes(dice.int(100)),
    () => Buffer.concat([name, dice.bytes(dice.int(20))]),
    () => Buffer.concat([name, Buffer.from([0x12, 0xff, 0xff, 0xff, 0xff, 0x0f])]),
    () => nested(dice.one([5, 100, 3000])),
    () => name,
    () => Buffer.alloc(30, 0xff),
  ])()
  const whole = Buffer.concat([Buffer.from('k8s\0'), field(1, type), field(2, raw)])
  return dice.chance(0.2) ? whole.subarray(0, dice.int(whole.length)) : whole
}
