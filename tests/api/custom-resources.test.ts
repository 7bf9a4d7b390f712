/** Custom resources as users have them: with real kubectl, over TLS. */
import { execFile } from 'node:child_process'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { http1, json, serve, type Served } from './served.ts'

let served: Served

beforeAll(async () => {
  served = await serve()
})
afterAll(() => served[Symbol.asyncDispose]())

interface Result {
  readonly code: number
  readonly out: string
  readonly err: string
}

function kubectl(args: string, input?: object): Promise<Result> {
  const env = { ...process.env, KUBECONFIG: served.kubeconfig, KUBECACHEDIR: join(served.dir, 'cache') }
  return new Promise((resolve) => {
    const child = execFile('kubectl', args.split(' '), { env }, (error, out, err) =>
      resolve({ code: error ? (typeof error.code === 'number' ? error.code : 1) : 0, out, err }),
    )
    child.stdin?.end(input ? JSON.stringify(input) : '')
  })
}

async function ok(args: string, input?: object): Promise<string> {
  const { code, out, err } = await kubectl(args, input)
  if (code !== 0) throw new Error(`kubectl ${args}: ${out}${err}`)
  return out + err
}

const schema = {
  type: 'object',
  description: 'Runs a job at times.',
  required: ['spec'],
  properties: {
    spec: {
      type: 'object',
      description: 'What to run.',
      required: ['cronSpec'],
      properties: {
        cronSpec: { type: 'string', pattern: '^(\\d+|\\*)(/\\d+)?(\\s+(\\d+|\\*)(/\\d+)?){4}$', description: 'When to run.' },
        image: { type: 'string', default: 'busybox' },
        replicas: { type: 'integer', minimum: 1, maximum: 10, default: 1 },
        port: { 'x-kubernetes-int-or-string': true },
        note: { type: 'string', nullable: true },
        template: { type: 'object', 'x-kubernetes-embedded-resource': true, 'x-kubernetes-preserve-unknown-fields': true },
        items: {
          type: 'array',
          'x-kubernetes-list-type': 'map',
          'x-kubernetes-list-map-keys': ['name'],
          items: { type: 'object', required: ['name'], properties: { name: { type: 'string' }, value: { type: 'string' } } },
        },
      },
    },
    status: {
      type: 'object',
      properties: { replicas: { type: 'integer' }, phase: { type: 'string' }, labelSelector: { type: 'string' } },
    },
  },
}

const cronTabs = {
  apiVersion: 'apiextensions.k8s.io/v1',
  kind: 'CustomResourceDefinition',
  metadata: { name: 'crontabs.stable.example.com' },
  spec: {
    group: 'stable.example.com',
    scope: 'Namespaced',
    names: { plural: 'crontabs', singular: 'crontab', kind: 'CronTab', shortNames: ['ct'], categories: ['all', 'mine'] },
    versions: [
      {
        name: 'v1',
        served: true,
        storage: true,
        schema: { openAPIV3Schema: schema },
        subresources: {
          status: {},
          scale: { specReplicasPath: '.spec.replicas', statusReplicasPath: '.status.replicas', labelSelectorPath: '.status.labelSelector' },
        },
        additionalPrinterColumns: [
          { name: 'Spec', type: 'string', jsonPath: '.spec.cronSpec' },
          { name: 'Replicas', type: 'integer', jsonPath: '.spec.replicas' },
          { name: 'Image', type: 'string', jsonPath: '.spec.image', priority: 1 },
          { name: 'Age', type: 'date', jsonPath: '.metadata.creationTimestamp' },
        ],
        selectableFields: [{ jsonPath: '.spec.image' }],
      },
      { name: 'v1beta1', served: true, storage: false, deprecated: true, schema: { openAPIV3Schema: schema } },
    ],
  },
}

const cronTab = (name: string, spec: object = {}) => ({
  apiVersion: 'stable.example.com/v1',
  kind: 'CronTab',
  metadata: { name },
  spec: { cronSpec: '* * * * */5', ...spec },
})

describe('kubectl', () => {
  it('makes a definition, and has its resource when it is established', async () => {
    await ok('apply -f -', cronTabs)
    await ok('wait --for condition=established --timeout=20s crd/crontabs.stable.example.com')
    expect(await ok('get crd')).toMatch(/^NAME\s+CREATED AT\ncrontabs\.stable\.example\.com\s+20\d\d-.*Z\n$/)
    expect(await ok('api-resources --api-group=stable.example.com --no-headers')).toMatch(
      /^crontabs\s+ct\s+stable\.example\.com\/v1\s+true\s+CronTab\n$/,
    )
    expect(await ok('api-versions')).toContain('stable.example.com/v1\nstable.example.com/v1beta1\n')
    expect((await kubectl('apply -f -', cronTabs)).out).toBe(
      'customresourcedefinition.apiextensions.k8s.io/crontabs.stable.example.com unchanged\n',
    )
  })

  it('creates, prints, patches and deletes its objects', async () => {
    expect(await ok('create -f -', cronTab('one', { port: 'http', note: null }))).toBe('crontab.stable.example.com/one created\n')
    expect(await ok('get ct')).toMatch(/^NAME\s+SPEC\s+REPLICAS\s+AGE\none\s+\* \* \* \* \*\/5\s+1\s+\d+s\n$/)
    expect(await ok('get crontabs one -o wide')).toMatch(/IMAGE\s+AGE\none .* busybox\s/)
    expect(await ok('get mine')).toContain('one')
    expect(await ok('get ct one -o jsonpath={.spec.image},{.spec.port},{.metadata.generation}')).toBe('busybox,http,1')
    await ok('patch ct one --type=merge -p {"spec":{"image":"nginx"}}')
    await ok('patch ct one --type=json -p [{"op":"replace","path":"/spec/replicas","value":2}]')
    expect(await ok('get ct one -o jsonpath={.spec.image},{.spec.replicas},{.metadata.generation}')).toBe('nginx,2,3')
    expect(await ok('get ct --field-selector spec.image=nginx -o name')).toBe('crontab.stable.example.com/one\n')
    expect(await ok('get ct --field-selector spec.image=busybox -o name')).toBe('')
    const strategic = await kubectl('patch ct one --type=strategic -p {"spec":{}}')
    expect([strategic.code, strategic.err]).toEqual([
      1,
      'error: application/strategic-merge-patch+json is not supported by stable.example.com/v1, Kind=CronTab: ' +
        'the body of the request was in an unknown format - accepted media types include: ' +
        'application/json-patch+json, application/merge-patch+json, application/apply-patch+yaml\n',
    ])
    expect(await ok('label ct one a=b')).toBe('crontab.stable.example.com/one labeled\n')
    expect(await ok('describe ct one')).toContain('Cron Spec:  * * * * */5')
    expect(await ok('delete ct one')).toBe('crontab.stable.example.com "one" deleted\n')
  })

  it('is told what is wrong with an object', async () => {
    const wrong = await kubectl('create --validate=false -f -', cronTab('bad', { cronSpec: 'often', replicas: 15, port: true }))
    expect(wrong.err).toBe(
      'The CronTab "bad" is invalid: \n' +
        '* spec.cronSpec: Invalid value: "often": spec.cronSpec in body should match \'^(\\d+|\\*)(/\\d+)?(\\s+(\\d+|\\*)(/\\d+)?){4}$\'\n' +
        '* spec.port: Invalid value: "boolean": spec.port in body must be of type integer,string: "boolean"\n' +
        '* spec.replicas: Invalid value: 15: spec.replicas in body should be less than or equal to 10\n',
    )
    const typed = await kubectl('create --validate=false -f -', cronTab('bad', { replicas: 'two', template: { kind: '' } }))
    expect(typed.err).toContain('* spec.replicas: Invalid value: "string": spec.replicas in body must be of type integer: "string"\n')
    expect(typed.err).toContain('* spec.template.apiVersion: Required value: must not be empty\n')
    const twice = await kubectl('create -f -', cronTab('bad', { items: [{ name: 'a' }, { name: 'a' }] }))
    expect(twice.err).toBe('The CronTab "bad" is invalid: spec.items[1]: Duplicate value: {"name":"a"}\n')
  })

  it('is told of fields that the schema does not have, as it asks', async () => {
    const odd = { ...cronTab('odd'), extra: 1, spec: { cronSpec: '* * * * *', other: 2 } }
    const strict = await kubectl('create --validate=strict -f -', odd)
    expect(strict.err).toBe(
      'Error from server (BadRequest): error when creating "STDIN": CronTab in version "v1" cannot be handled as a CronTab: ' +
        'strict decoding error: unknown field "extra", unknown field "spec.other"\n',
    )
    const warned = await kubectl('create --validate=warn -f -', odd)
    expect([warned.code, warned.err]).toEqual([0, 'Warning: unknown field "extra"\nWarning: unknown field "spec.other"\n'])
    expect(await ok('get ct odd -o jsonpath={.spec}')).toBe('{"cronSpec":"* * * * *","image":"busybox","replicas":1}')
    expect((await kubectl('apply --validate=ignore -f -', odd)).err).not.toContain('unknown field')
  })

  it('applies on the server, item by item', async () => {
    const items = (...names: string[]) => cronTab('applied', { items: names.map((name) => ({ name, value: 'x' })) })
    await ok('apply --server-side --field-manager=one -f -', items('a'))
    await ok('apply --server-side --field-manager=two -f -', items('b'))
    expect(await ok('get ct applied -o jsonpath={.spec.items[*].name}')).toBe('a b')
    const other = cronTab('applied', { cronSpec: '1 * * * *' })
    const conflict = await kubectl('apply --server-side --field-manager=two -f -', other)
    expect(conflict.err).toContain('Apply failed with 1 conflict: conflict with "one": .spec.cronSpec')
    await ok('apply --server-side --field-manager=two --force-conflicts -f -', other)
    expect(await ok('get ct applied -o jsonpath={.spec.items[*].name}')).toBe('a')
  })

  it('scales, and sets the status by itself', async () => {
    expect(await ok('scale ct applied --replicas=4')).toBe('crontab.stable.example.com/applied scaled\n')
    await ok('patch ct applied --subresource=status --type=merge -p {"status":{"replicas":3,"phase":"Running"},"spec":{"replicas":9}}')
    expect(await ok('get ct applied -o jsonpath={.spec.replicas},{.status.replicas},{.status.phase}')).toBe('4,3,Running')
    expect(await ok('get ct applied --subresource=scale')).toMatch(/^NAME\s+DESIRED\s+AVAILABLE\s+AGE\napplied\s+4\s+3\s/)
  })

  it('explains', async () => {
    expect(await ok('explain ct')).toMatch(
      /GROUP:\s+stable\.example\.com\nKIND:\s+CronTab\nVERSION:\s+v1\n\nDESCRIPTION:\n\s+Runs a job at times\./,
    )
    expect(await ok('explain crontabs.spec.cronSpec')).toContain('When to run.')
    expect(await ok('explain crontabs.spec.template.metadata')).toContain('ObjectMeta')
  })

  it('is warned of a version that goes', async () => {
    const { out, err } = await kubectl('get crontabs.v1beta1.stable.example.com applied -o jsonpath={.apiVersion}')
    expect([out, err]).toEqual(['stable.example.com/v1beta1', 'Warning: stable.example.com/v1beta1 CronTab is deprecated\n'])
  })

  it('watches', async () => {
    const watching = kubectl('get ct --watch-only -o jsonpath={.metadata.name}{"\\n"} --request-timeout=4s')
    await sleep(2000)
    await ok('create -f -', cronTab('seen'))
    expect((await watching).out).toContain('seen')
  })

  it('is told what is wrong with a definition', async () => {
    const { spec } = cronTabs
    const named = (name: string, changed: object) => ({ ...cronTabs, metadata: { name }, spec: { ...spec, ...changed } })
    const loose = { type: 'object', properties: { spec: { properties: { a: { type: 'string' } } } } }
    const versions = [{ name: 'v1', served: true, storage: true, schema: { openAPIV3Schema: loose } }]
    expect((await kubectl('create -f -', named('wrong.example.com', { versions }))).err).toBe(
      'The CustomResourceDefinition "wrong.example.com" is invalid: \n' +
        '* metadata.name: Invalid value: "wrong.example.com": must be spec.names.plural+"."+spec.group\n' +
        '* spec.validation.openAPIV3Schema.properties[spec].type: Required value: must not be empty for specified object fields\n',
    )
    const changed = await kubectl('patch crd crontabs.stable.example.com --type=merge -p {"spec":{"scope":"Cluster"}}')
    expect(changed.err).toContain('spec.scope: Invalid value: "Cluster": field is immutable')
    const webhook = { strategy: 'Webhook', webhook: { conversionReviewVersions: [], clientConfig: { url: 'https://example.com/' } } }
    expect((await kubectl('create -f -', named('crontabs.stable.example.com', { conversion: webhook }))).err).toContain(
      'spec.conversion.conversionReviewVersions: Required value',
    )
  })

  it('deletes a definition with its objects', async () => {
    const path = '/apis/stable.example.com/v1/namespaces/default/crontabs'
    expect((json(await http1(served, path))['items'] as unknown[]).length).toBeGreaterThan(0)
    expect(await ok('delete crd crontabs.stable.example.com --timeout=20s')).toContain('deleted')
    expect((await http1(served, path)).status).toBe(404)
    const { kvs } = await served.store.range({ key: '/registry/stable.example.com/', end: '/registry/stable.example.com0' })
    expect(kvs).toEqual([])
    expect(await ok('api-resources --api-group=stable.example.com --no-headers --cached=false')).not.toContain('crontabs')
  })
})
