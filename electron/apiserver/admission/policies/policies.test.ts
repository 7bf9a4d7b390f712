import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import type {
  MutatingAdmissionPolicy,
  ValidatingAdmissionPolicy,
  ValidatingAdmissionPolicyBinding,
} from '../../../api/admissionregistration/v1/types.gen.ts'
import {
  configMap,
  deployment,
  mutatingAdmissionPolicy,
  mutatingAdmissionPolicyBinding,
  mutatingWebhookConfiguration,
  namespace,
  validatingAdmissionPolicy,
  validatingAdmissionPolicyBinding,
} from '../../../api/kinds.gen.ts'
import type { Deployment } from '../../../api/apps/v1/types.gen.ts'
import type { Draft } from '../../../api/meta/v1/object.ts'
import { startTestServer, type TestServer } from '../../testing/harness.ts'
import { send } from '../../testing/raw.ts'

type PolicySpec = Draft<ValidatingAdmissionPolicy['spec']>
type BindingSpec = Draft<ValidatingAdmissionPolicyBinding['spec']>
type MutationSpec = Draft<MutatingAdmissionPolicy['spec']>

let test: TestServer
beforeEach(async () => {
  test = await startTestServer()
})
afterEach(() => test.stop())

const matchConstraints: PolicySpec['matchConstraints'] = {
  resourceRules: [{ apiGroups: ['apps'], apiVersions: ['v1'], operations: ['CREATE', 'UPDATE'], resources: ['deployments'] }],
}

async function policy(spec: PolicySpec, binding: BindingSpec = {}): Promise<void> {
  const own = { matchConstraints, validations: [{ expression: 'object.spec.replicas > 1' }], ...spec }
  await test.client.create(validatingAdmissionPolicy, { metadata: { name: 'policy' }, spec: own })
  const bound = { policyName: 'policy', validationActions: ['Deny' as const], ...binding }
  await test.client.create(validatingAdmissionPolicyBinding, { metadata: { name: 'binding' }, spec: bound })
}

async function mutation(spec: MutationSpec, name = 'policy'): Promise<void> {
  const own = { matchConstraints, reinvocationPolicy: 'Never' as const, ...spec }
  await test.client.create(mutatingAdmissionPolicy, { metadata: { name }, spec: own })
  await test.client.create(mutatingAdmissionPolicyBinding, { metadata: { name }, spec: { policyName: name } })
}

const apply = (expression: string): MutationSpec => ({
  mutations: [{ patchType: 'ApplyConfiguration', applyConfiguration: { expression } }],
})
const jsonPatch = (expression: string): MutationSpec => ({ mutations: [{ patchType: 'JSONPatch', jsonPatch: { expression } }] })

const draft = (replicas: number, metadata: Draft<Deployment['metadata']> = {}): Draft<Deployment> => ({
  metadata: { name: 'web', namespace: 'default', ...metadata },
  spec: {
    replicas,
    selector: { matchLabels: { app: 'web' } },
    template: { metadata: { labels: { app: 'web' } }, spec: { containers: [{ name: 'app', image: 'app:1' }] } },
  },
})
const deploy = (replicas: number, metadata: Draft<Deployment['metadata']> = {}) => test.client.create(deployment, draft(replicas, metadata))
const DENIED = `deployments.apps "web" is forbidden: ValidatingAdmissionPolicy 'policy' with binding 'binding' denied request: `

describe('a validating policy', () => {
  it('refuses what it is bound to, in words of its own or with the expression', async () => {
    await policy({ validations: [{ expression: 'object.spec.replicas > 1' }] })
    await expect(deploy(1)).rejects.toMatchObject({
      code: 422,
      reason: 'Invalid',
      message: `${DENIED}failed expression: object.spec.replicas > 1`,
      status: { details: { name: 'web', group: 'apps', kind: 'deployments', causes: [{ message: expect.any(String) as string }] } },
    })
    await deploy(2)
    await expect(
      test.client.patch(deployment, { name: 'web', namespace: 'default' }, { type: 'merge', body: { spec: { replicas: 1 } } }),
    ).rejects.toThrow(DENIED)
  })

  it('says why, by a message or an expression, and with a reason', async () => {
    const messageExpression = `'only ' + string(object.spec.replicas)`
    await policy({ validations: [{ expression: 'object.spec.replicas > 1', message: 'too few', messageExpression, reason: 'Forbidden' }] })
    await expect(deploy(1)).rejects.toMatchObject({ code: 403, reason: 'Forbidden', message: `${DENIED}only 1` })
    await test.client.patch(
      validatingAdmissionPolicy,
      { name: 'policy' },
      { type: 'json', body: [{ op: 'replace', path: '/spec/validations/0/messageExpression', value: '""' }] },
    )
    await expect(deploy(1)).rejects.toThrow(`${DENIED}too few`)
  })

  it('does nothing without a binding, or where the binding does not reach', async () => {
    await test.client.create(namespace, { metadata: { name: 'strict', labels: { strict: 'yes' } } })
    await policy({}, { matchResources: { namespaceSelector: { matchLabels: { strict: 'yes' } } } })
    await deploy(1)
    await expect(deploy(1, { namespace: 'strict' })).rejects.toThrow('denied request')
    await test.client.delete(validatingAdmissionPolicyBinding, { name: 'binding' })
    await deploy(1, { namespace: 'strict' })
  })

  it('may only warn', async () => {
    await policy({}, { validationActions: ['Warn', 'Audit'] })
    const { status, headers } = await send(test.client, 'POST', '/apis/apps/v1/namespaces/default/deployments', draft(1))
    expect(status).toBe(201)
    const text = `Validation failed for ValidatingAdmissionPolicy 'policy' with binding 'binding': failed expression: object.spec.replicas > 1`
    expect(headers['warning']).toBe(`299 - "${text}"`)
  })

  it('is evaluated with the parameters of its binding', async () => {
    const paramKind = { apiVersion: 'v1', kind: 'ConfigMap' }
    const paramRef = { name: 'limits', namespace: 'default', parameterNotFoundAction: 'Deny' }
    await policy({ paramKind, validations: [{ expression: 'object.spec.replicas <= int(params.data.most)' }] }, { paramRef })
    await expect(deploy(1)).rejects.toThrow(
      `${DENIED}failed to configure binding: no params found for policy binding with \`Deny\` parameterNotFoundAction`,
    )
    await test.client.create(configMap, { metadata: { name: 'limits', namespace: 'default' }, data: { most: '3' } })
    await deploy(3)
    await expect(deploy(4, { name: 'more' })).rejects.toThrow(/failed expression/)
  })

  it('sees who asks, where, and what they may', async () => {
    const expression = [
      `request.userInfo.username == 'admin'`,
      `request.operation == 'CREATE'`,
      `request.resource.resource == 'deployments'`,
      `namespaceObject.metadata.name == 'default'`,
      `oldObject == null`,
      `authorizer.group('').resource('pods').namespace('default').check('delete').allowed()`,
      `authorizer.requestResource.check('update').allowed()`,
    ].join(' && ')
    await policy({ validations: [{ expression }] })
    await deploy(1)
  })

  it('has variables, each made of those before it', async () => {
    const variables = [
      { name: 'replicas', expression: 'object.spec.replicas' },
      { name: 'odd', expression: 'variables.replicas % 2 == 1' },
    ]
    await policy({ variables, validations: [{ expression: 'variables.replicas > 1' }, { expression: 'variables.odd' }] })
    await expect(deploy(1)).rejects.toThrow(/variables.replicas > 1$/)
    await expect(deploy(2)).rejects.toThrow(/variables.odd$/)
    await deploy(3)
  })

  it('asks only about what meets its conditions', async () => {
    await policy({
      matchConditions: [{ name: 'judged', expression: `!has(object.metadata.labels) || !('free' in object.metadata.labels)` }],
    })
    await deploy(1, { labels: { free: 'yes' } })
    await expect(deploy(1, { name: 'other' })).rejects.toThrow(/denied request/)
  })

  it('that cannot be evaluated refuses, or does not count', async () => {
    const validations = [{ expression: 'object.spec.none > 1' }]
    await policy({ validations })
    await expect(deploy(1)).rejects.toThrow(`${DENIED}expression 'object.spec.none > 1' resulted in error: no such key: none`)
    await test.client.patch(validatingAdmissionPolicy, { name: 'policy' }, { type: 'merge', body: { spec: { failurePolicy: 'Ignore' } } })
    await deploy(1)
  })

  it('says in its status what does not fit the kinds that it is for', async () => {
    const at = { name: 'policy' }
    const checked = async () => (await test.client.get(validatingAdmissionPolicy, at)).status
    const fine = `oldObject == null || object.metadata.labels['a'] == 'b' || object.spec.template.spec.containers.all(c, c.image != '')`
    await policy({ validations: [{ expression: fine }] })
    expect(await checked()).toEqual({ observedGeneration: 1, typeChecking: {} })
    const value = 'object.spec.replica > 1'
    await test.client.patch(validatingAdmissionPolicy, at, {
      type: 'json',
      body: [{ op: 'replace', path: '/spec/validations/0/expression', value }],
    })
    const { observedGeneration, typeChecking } = await checked()
    expect(observedGeneration).toBe(2)
    expect(typeChecking?.expressionWarnings).toEqual([
      {
        fieldRef: 'spec.validations[0].expression',
        warning: expect.stringMatching(
          /^apps\/v1, Kind=Deployment: compilation failed: ERROR: <input>:1:12: undefined field 'replica'/,
        ) as string,
      },
    ])
  })

  it('is not accepted if it does not compile', async () => {
    const wrong = policy({ validations: [{ expression: 'object.spec.replicas >' }] })
    await expect(wrong).rejects.toMatchObject({
      code: 422,
      message: expect.stringContaining('compilation failed: ERROR: <input>') as string,
    })
    const text = policy({ validations: [{ expression: '"text"' }] })
    await expect(text).rejects.toThrow('spec.validations[0].expression: Invalid value: "\\"text\\"": must evaluate to bool but got string')
    await expect(policy({ variables: [{ name: 'a', expression: 'variables.b' }] })).rejects.toThrow(
      /spec.variables\[0\].expression: .*undefined field 'b'/,
    )
    const condition = { name: 'hook.example.com', matchConditions: [{ name: 'broken', expression: '... [}' }] }
    const hook = { ...condition, clientConfig: { url: 'https://a.b/c' }, sideEffects: 'None' as const, admissionReviewVersions: ['v1'] }
    const hooks = test.client.create(mutatingWebhookConfiguration, { metadata: { name: 'hooks' }, webhooks: [hook] })
    await expect(hooks).rejects.toThrow(/webhooks\[0\].matchConditions\[0\].expression: Invalid value: .*compilation failed/)
  })
})

describe('a mutating policy', () => {
  it('merges what it says into the object', async () => {
    await mutation(
      apply(
        `Object{ metadata: Object.metadata{ annotations: {"by": "policy"} }, spec: Object.spec{ replicas: object.spec.replicas + 1 } }`,
      ),
    )
    const made = await deploy(1, { annotations: { own: 'yes' } })
    expect([made.spec.replicas, made.metadata.annotations]).toEqual([2, { own: 'yes', by: 'policy' }])
  })

  it('merges into lists by their keys', async () => {
    const container = `Object.spec.template.spec.containers{ name: "app", env: [Object.spec.template.spec.containers.env{ name: "A", value: "b" }] }`
    await mutation(
      apply(
        `Object{ spec: Object.spec{ template: Object.spec.template{ spec: Object.spec.template.spec{ containers: [${container}] } } } }`,
      ),
    )
    const [made] = (await deploy(1)).spec.template.spec.containers
    expect(made).toMatchObject({ name: 'app', image: 'app:1', env: [{ name: 'A', value: 'b' }] })
  })

  it('patches', async () => {
    const label = `JSONPatch{ op: "add", path: "/metadata/labels/" + jsonpatch.escapeKey("example.com/by"), value: "policy" }`
    await mutation(jsonPatch(`[JSONPatch{ op: "test", path: "/spec/replicas", value: 1 }, ${label}]`))
    expect((await deploy(1, { labels: { own: 'yes' } })).metadata.labels).toEqual({ own: 'yes', 'example.com/by': 'policy' })
    expect((await deploy(2, { name: 'two', labels: { own: 'yes' } })).metadata.labels).toEqual({ own: 'yes' })
  })

  it('sees the object once more when a later one changed it', async () => {
    const seen = `object.spec.replicas == 5 ? Object{ metadata: Object.metadata{ labels: {"seen": "five"} } } : Object{}`
    await mutation({ ...apply(seen), reinvocationPolicy: 'IfNeeded' }, 'a')
    await mutation(apply(`Object{ spec: Object.spec{ replicas: 5 } }`), 'b')
    expect((await deploy(1)).metadata.labels).toEqual({ seen: 'five' })
  })

  it.each<[what: string, spec: MutationSpec, why: RegExp]>([
    [
      'objects where they do not belong',
      apply(`Object{ spec: Object.metadata{} }`),
      /type mismatch: unexpected type name "Object.metadata", expected "Object.spec", which matches field name path from root Object type/,
    ],
    ['fields that there are not', apply(`Object{ spec: Object.spec{ none: 1 } }`), /.spec.none: field not declared in schema/],
    [
      'lists that are one thing',
      apply(`Object{ spec: Object.spec{ selector: Object.spec.selector{ matchLabels: {"a": "b"} } } }`),
      /invalid ApplyConfiguration: may not mutate atomic arrays, maps or structs: .spec.selector/,
    ],
    ['patches that do not fit', jsonPatch(`[JSONPatch{ op: "remove", path: "/spec/none" }]`), /JSON Patch: .*none/],
  ])('may not make %s', async (_, spec, why) => {
    await mutation(spec)
    await expect(deploy(1)).rejects.toThrow(why)
    await expect(deploy(1)).rejects.toMatchObject({
      code: 403,
      message: expect.stringMatching(/^policy 'policy' with binding 'policy' denied/) as string,
    })
  })

  it('must make an Object', async () => {
    await expect(mutation(apply('object'))).rejects.toThrow(
      /applyConfiguration.expression: Invalid value: "object": must evaluate to Object but got dyn/,
    )
  })
})
