import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { FACTS } from '../../api/schema/facts.ts'
import { arbitraryOf } from '../testing/arbitrary.ts'
import { modelType, testTypes } from '../testing/types.ts'
import { Codecs, type Codec } from './codec.ts'

fc.configureGlobal({ seed: 1 })

const codecs = new Codecs()
const codecOf = (name: string): Codec<Record<string, unknown>> => codecs.for(modelType(name))
const pod = codecOf('core.v1.Pod')
const deployment = codecOf('apps.v1.Deployment')
const configMap = codecOf('core.v1.ConfigMap')
const bytes = (text: string) => Buffer.from(text)
const parse = (codec: Codec<Record<string, unknown>>, value: unknown) => codec.parse(bytes(JSON.stringify(value)))
const decode = (codec: Codec<Record<string, unknown>>, value: unknown) => parse(codec, value).object
const faultOf = (codec: Codec<Record<string, unknown>>, text: string): string => {
  try {
    codec.parse(bytes(text))
  } catch (error) {
    return (error as Error).message
  }
  return 'no fault'
}

describe('decoding', () => {
  it('fills in the defaults of the schema and puts fields in their customary order', () => {
    const object = decode(pod, {
      spec: { containers: [{ ports: [{ containerPort: 80 }], name: 'web' }] },
      metadata: { name: 'a' },
      kind: 'Pod',
      apiVersion: 'v1',
    })
    expect(JSON.stringify(object)).toBe(
      '{"apiVersion":"v1","kind":"Pod","metadata":{"name":"a"},"spec":{"containers":[{"name":"web","ports":[{"containerPort":80,"protocol":"TCP"}],"resources":{}}]},"status":{}}',
    )
  })

  it('leaves defaults out when asked to', () => {
    expect(pod.decode({ metadata: { name: 'a' } }, { defaults: false }).object).toEqual({ metadata: { name: 'a' } })
  })

  it('takes null for absence, and for a zero value inside lists and maps', () => {
    expect(decode(pod, { metadata: null, spec: { nodeName: null, containers: [null], nodeSelector: { a: null } } })).toEqual({
      metadata: {},
      spec: { containers: [{ name: '', resources: {} }], nodeSelector: { a: '' } },
      status: {},
    })
    expect(decode(pod, null)).toEqual({ metadata: {}, spec: { containers: [] }, status: {} })
  })

  it('leaves out zero values that mean the same as none, and keeps those that do not', () => {
    const spec = {
      hostNetwork: false,
      nodeName: '',
      tolerations: [],
      nodeSelector: {},
      priority: 0,
      enableServiceLinks: false,
      securityContext: {},
    }
    expect(decode(pod, { spec: { ...spec, containers: [] } })).toEqual({
      metadata: {},
      spec: { containers: [], enableServiceLinks: false, priority: 0, securityContext: {} },
      status: {},
    })
    expect(decode(deployment, { spec: { replicas: 0, paused: false } })).toMatchObject({ spec: { replicas: 0 } })
    expect(decode(codecOf('core.v1.PersistentVolumeClaim'), { spec: { storageClassName: '' } })).toMatchObject({
      spec: { storageClassName: '' },
    })
  })

  it('takes a zero value that means none for the default', () => {
    const ports = [{ containerPort: 1, protocol: '' }]
    expect(decode(pod, { spec: { containers: [{ name: 'a', ports }] } })).toMatchObject({
      spec: { containers: [{ ports: [{ protocol: 'TCP' }] }] },
    })
  })

  it('brings quantities, times and bytes into their canonical form', () => {
    expect(
      decode(pod, {
        metadata: { creationTimestamp: '2026-11-21T09:00:00.5+01:00' },
        spec: { containers: [{ name: 'a', resources: { limits: { cpu: 0.5, memory: '1024Mi', pods: '1e3', disk: '0.1Gi' } } }] },
      }),
    ).toMatchObject({
      metadata: { creationTimestamp: '2026-11-21T08:00:00Z' },
      spec: { containers: [{ resources: { limits: { cpu: '500m', memory: '1Gi', pods: '1e3', disk: '107374182400m' } } }] },
    })
    expect(decode(codecOf('core.v1.Secret'), { data: { a: 'aGk=\n', b: '', c: 'aG==' } })).toMatchObject({
      data: { a: 'aGk=', b: '', c: 'aA==' },
    })
    expect(decode(codecOf('coordination.v1.Lease'), { spec: { renewTime: '2026-11-21T10:00:00.123456+02:00' } })).toMatchObject({
      spec: { renewTime: '2026-11-21T08:00:00.123456Z' },
    })
  })

  it('has no time where Go has none', () => {
    expect(decode(pod, { metadata: { creationTimestamp: '0001-01-01T00:00:00Z' } })).toMatchObject({ metadata: {} })
  })

  it('takes integers and strings where either may stand', () => {
    const ports = [
      { port: 80, targetPort: 'http' },
      { port: 81, targetPort: 8081 },
    ]
    expect(decode(codecOf('core.v1.Service'), { spec: { ports } })).toMatchObject({ spec: { ports } })
  })

  it('keeps what no schema describes', () => {
    const data = { spec: { replicas: null, list: [1, { a: 1.5 }] } }
    expect(decode(codecOf('apps.v1.ControllerRevision'), { data, revision: 3 })).toEqual({ metadata: {}, data, revision: 3 })
  })

  it('keeps keys of maps, whatever they are called', () => {
    const { object } = configMap.parse(bytes('{"data":{"__proto__":"a","constructor":"b","toString":"c"}}'))
    const data = object['data'] as Record<string, string>
    expect(Object.keys(data)).toEqual(['__proto__', 'constructor', 'toString'])
    expect(Object.getPrototypeOf(data)).toBe(Object.prototype)
  })

  it('shares nothing with the value it was given', () => {
    const given = Object.freeze({ metadata: Object.freeze({ labels: Object.freeze({ a: 'b' }) }) })
    const { object } = configMap.decode(given)
    const labels = (object['metadata'] as { labels: Record<string, string> }).labels
    labels['c'] = 'd'
    expect(given.metadata.labels).toEqual({ a: 'b' })
  })

  it('decodes schemas that may be one thing or another', () => {
    const crd = codecs.for<Record<string, unknown>>(
      testTypes.struct('io.k8s.apiextensions-apiserver.pkg.apis.apiextensions.v1.CustomResourceDefinition'),
    )
    const openAPIV3Schema = {
      properties: {
        a: { items: { type: 'string' }, type: 'array' },
        b: { additionalProperties: true },
        c: { additionalProperties: { type: 'integer' } },
      },
      type: 'object',
    }
    const version = { name: 'v1', schema: { openAPIV3Schema }, served: true, storage: true }
    expect(decode(crd, { spec: { versions: [version] } })).toMatchObject({ spec: { versions: [version] } })
  })
})

describe('strict decoding', () => {
  it('names unknown and duplicate fields with their paths, in the order of the text', () => {
    const text =
      '{"kind":"Deployment","spec":{"foo":1,"template":{"spec":{"containers":[{"name":"a","name":"b","imagePullpolicy":"x"},{"name":"c","bar":{"deep":{}}}]}},"selector":{"matchLabels":{"a":"b","a":"c"}}},"spec":{}}'
    const { object, strict } = deployment.parse(bytes(text))
    expect(strict).toEqual([
      'unknown field "spec.foo"',
      'duplicate field "spec.template.spec.containers[0].name"',
      'unknown field "spec.template.spec.containers[0].imagePullpolicy"',
      'unknown field "spec.template.spec.containers[1].bar"',
      'duplicate field "spec.selector.matchLabels.a"',
      'duplicate field "spec"',
    ])
    expect(object).toMatchObject({ kind: 'Deployment' })
    expect(JSON.stringify(object)).not.toMatch(/foo|bar|imagePullpolicy/)
  })

  it('finds duplicates in what no schema describes', () => {
    expect(codecOf('apps.v1.ControllerRevision').parse(bytes('{"data":{"a":[{"b":1,"b":2}]}}')).strict).toEqual([
      'duplicate field "data.a[0].b"',
    ])
  })

  it('does not look for them when told so', () => {
    expect(pod.parse(bytes('{"foo":1,"kind":"Pod","kind":"Pod"}'), { strict: false }).strict).toEqual([])
  })

  it('stops at a hundred', () => {
    const unknown = Object.fromEntries(Array.from({ length: 150 }, (_, i) => [`x${i}`, i]))
    expect(parse(pod, unknown).strict).toHaveLength(100)
  })

  it('objects to nothing in a plain object', () => {
    expect(parse(pod, { metadata: { labels: { a: 'b' } }, spec: { containers: [] } }).strict).toEqual([])
  })

  it('names unknown fields of values that were never text', () => {
    expect(pod.decode({ spec: { foo: 1, nodeName: undefined } }).strict).toEqual(['unknown field "spec.foo"'])
  })
})

describe('faults', () => {
  it.each([
    ['{"spec":{"containers":{}}}', 'json: cannot unmarshal object into Go struct field PodSpec.spec.containers of type []v1.Container'],
    [
      '{"spec":{"containers":[{"env":[{"name":"A","value":1}]}]}}',
      'json: cannot unmarshal number into Go struct field EnvVar.spec.containers.env.value of type string',
    ],
    [
      '{"spec":{"containers":[{"imagePullPolicy":true}]}}',
      'json: cannot unmarshal bool into Go struct field Container.spec.containers.imagePullPolicy of type v1.PullPolicy',
    ],
    ['{"metadata":{"labels":{"a":1}}}', 'json: cannot unmarshal number into Go struct field ObjectMeta.metadata.labels of type string'],
    [
      '{"metadata":{"labels":[]}}',
      'json: cannot unmarshal array into Go struct field ObjectMeta.metadata.labels of type map[string]string',
    ],
    ['{"spec":"x"}', 'json: cannot unmarshal string into Go struct field Pod.spec of type v1.PodSpec'],
    ['{"spec":{"priority":"1"}}', 'json: cannot unmarshal string into Go struct field PodSpec.spec.priority of type int32'],
    ['{"spec":{"priority":1.0}}', 'json: cannot unmarshal number 1.0 into Go struct field PodSpec.spec.priority of type int32'],
    ['{"spec":{"priority":1e3}}', 'json: cannot unmarshal number 1e3 into Go struct field PodSpec.spec.priority of type int32'],
    [
      '{"spec":{"priority":2147483648}}',
      'json: cannot unmarshal number 2147483648 into Go struct field PodSpec.spec.priority of type int32',
    ],
    [
      '{"spec":{"terminationGracePeriodSeconds":9223372036854775808}}',
      'json: cannot unmarshal number 9223372036854775808 into Go struct field PodSpec.spec.terminationGracePeriodSeconds of type int64',
    ],
    [
      '{"spec":{"containers":[{"resources":{"limits":{"cpu":"1 core"}}}]}}',
      "quantities must match the regular expression '^([+-]?[0-9.]+)([eEinumkKMGTP]*[-+]?[0-9]*)$'",
    ],
    [
      '{"spec":{"containers":[{"resources":{"limits":"x"}}]}}',
      'json: cannot unmarshal string into Go struct field ResourceRequirements.spec.containers.resources.limits of type v1.ResourceList',
    ],
    ['{"metadata":{"creationTimestamp":"today"}}', 'parsing time "today" as "2006-01-02T15:04:05Z07:00": cannot parse "today" as "2006"'],
    ['{"metadata":{"creationTimestamp":5}}', 'json: cannot unmarshal number into Go value of type string'],
    [
      '{"spec":{"containers":[{"livenessProbe":{"httpGet":{"port":1.5}}}]}}',
      'json: cannot unmarshal number 1.5 into Go value of type int32',
    ],
    ['{"spec":5,"metadata":6}', 'json: cannot unmarshal number into Go struct field Pod.spec of type v1.PodSpec'],
    ['{"spec":5,"metadata":{"creationTimestamp":""}}', 'parsing time "" as "2006-01-02T15:04:05Z07:00": cannot parse "" as "2006"'],
    ['', 'unexpected end of JSON input'],
    ['{"a":1,}', "invalid character '}' looking for beginning of object key string"],
  ])('of %s', (text, message) => {
    expect(faultOf(pod, text)).toBe(message)
  })

  it('of bytes that are no base64', () => {
    expect(faultOf(codecOf('core.v1.Secret'), '{"data":{"a":"aG?="}}')).toBe('illegal base64 data at input byte 2')
  })

  it('come before what strict decoding objects to', () => {
    expect(faultOf(pod, '{"foo":1,"spec":{"priority":"x"}}')).toMatch(/cannot unmarshal string/)
  })

  it('refuse nesting that could break a walk', () => {
    const deep = `{"data":${'{"a":'.repeat(2000)}1${'}'.repeat(2000)}}`
    expect(faultOf(codecOf('apps.v1.ControllerRevision'), deep)).toBe('exceeded max depth')
    const bad = `{"data":${'['.repeat(2000)}`
    expect(faultOf(codecOf('apps.v1.ControllerRevision'), bad)).toMatch(/exceeded max depth$/)
  })

  it('spare integers of 64 bits, which come out as near as a double can be', () => {
    const { object } = pod.parse(bytes('{"spec":{"terminationGracePeriodSeconds":9223372036854775807}}'))
    expect((object['spec'] as { terminationGracePeriodSeconds: number }).terminationGracePeriodSeconds).toBeLessThan(2 ** 63)
  })
})

describe('every model of the facts', () => {
  it('makes an object of nothing, which decodes to itself', () => {
    const models = Object.entries(FACTS).filter(([, schema]) => schema.type === 'object' && schema.properties)
    for (const [name] of models) {
      const codec = codecs.for<Record<string, unknown>>(testTypes.struct(name))
      const { object } = codec.decode({})
      expect(codec.parse(bytes(codec.encode(object))).object, name).toEqual(object)
    }
  })
})

describe('encoding', () => {
  it('writes fields in order and no empty optional ones', () => {
    const object = { metadata: { labels: {}, name: 'a', finalizers: [] }, kind: 'ConfigMap', data: { k: 'v' }, apiVersion: 'v1' }
    expect(configMap.encode(object)).toBe('{"apiVersion":"v1","kind":"ConfigMap","metadata":{"name":"a"},"data":{"k":"v"}}')
  })

  it('refuses what is no object of the type', () => {
    expect(() => configMap.encode({ data: { k: 1 } })).toThrow(
      'not a ConfigMap: json: cannot unmarshal number into Go struct field ConfigMap.data of type string',
    )
  })
})

describe('laws', () => {
  const models = [
    'core.v1.Pod',
    'core.v1.Service',
    'core.v1.Node',
    'apps.v1.Deployment',
    'networking.v1.Ingress',
    'core.v1.Secret',
    'core.v1.Event',
  ]

  it.each(models)('decode(encode(x)) is x for %s', (name) => {
    const codec = codecOf(name)
    fc.assert(
      fc.property(arbitraryOf(codec.type), (value) => {
        const { object, strict } = codec.parse(bytes(JSON.stringify(value)))
        expect(strict).toEqual([])
        const text = codec.encode(object)
        expect(codec.parse(bytes(text)).object).toEqual(object)
        expect(JSON.stringify(object)).toBe(text)
      }),
      { numRuns: 200 },
    )
  })

  it('a value that decodes has no fault, and one that does not has', () => {
    const codec = codecOf('core.v1.Pod')
    const spoiled = fc.tuple(
      arbitraryOf(codec.type, { density: 0.6, depth: 4 }),
      fc.nat(),
      fc.constantFrom<unknown>(1, 'x', true, [], {}, null, 1.5),
    )
    fc.assert(
      fc.property(spoiled, ([value, at, wrong]) => {
        const places = placesOf(value)
        const place = places[at % Math.max(1, places.length)]
        if (place) place.holder[place.key] = wrong
        const message = faultOf(codec, JSON.stringify(value))
        expect(message).not.toMatch(/object into Go value of type v1.Pod$/)
        if (message === 'no fault') expect(codec.encode(codec.decode(value).object)).toMatch(/^\{/)
      }),
      { numRuns: 300 },
    )
  })
})

function placesOf(value: unknown): { holder: Record<string, unknown>; key: string }[] {
  if (typeof value !== 'object' || value === null) return []
  const holder = value as Record<string, unknown>
  return Object.keys(holder).flatMap((key) => [{ holder, key }, ...placesOf(holder[key])])
}
