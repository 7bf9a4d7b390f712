/** Validating and mutating admission webhooks. */
import assert from 'node:assert/strict'
import type { MutatingWebhook, RuleWithOperations, ValidatingWebhook } from '../../../electron/api/admissionregistration/v1/types.gen.ts'
import type { ConfigMap } from '../../../electron/api/core/v1/types.gen.ts'
import { configMap, namespace as namespaceKind, pod } from '../../../electron/api/kinds.gen.ts'
import type { Kind } from '../../../electron/api/kind.ts'
import type { Draft, KubeObject } from '../../../electron/api/meta/v1/object.ts'
import { eventually, ignoreMissing, type Behaviour, type BehaviourContext, type Behaviours } from '../lib/behaviour.ts'
import { defineCustom, definitionDraft, versionOf, type Custom } from '../lib/custom-resources.ts'
import { assertDiscovered } from '../lib/discovery.ts'
import { customResourceDefinition, mutatingWebhooks, validatingWebhooks } from '../lib/extension-kinds.ts'
import { allow, deny, patched, startHooks, type HookRequest, type HookServer } from '../lib/hook-server.ts'
import { containerOf, podSpec } from '../lib/objects.ts'
import { assertHas, assertRefused, mark, untilGone, updateObject } from '../lib/whole-api.ts'

interface Configuration extends KubeObject {
  webhooks?: (ValidatingWebhook & MutatingWebhook)[]
}
type Hook = Draft<ValidatingWebhook & MutatingWebhook>
type Rule = Draft<RuleWithOperations>

const MUTATING = mutatingWebhooks as Kind<Configuration>
const VALIDATING = validatingWebhooks as Kind<Configuration>
const DENIAL = 'the webhook says no'

const rule = (resource: string, operations: RuleWithOperations['operations'] = ['CREATE'], group = '', version = 'v1'): Rule => ({
  apiGroups: [group],
  apiVersions: [version],
  operations: [...(operations ?? [])],
  resources: [resource],
})

/** Labels the test's namespace; what hooks select it by. */
async function ownNamespace(context: BehaviourContext): Promise<Hook['namespaceSelector'] & object> {
  const { labels } = mark(context)
  await context.client.patch(namespaceKind, { name: context.namespace }, { type: 'merge', body: { metadata: { labels } } })
  return { matchLabels: labels }
}

const hookOf = (name: string, clientConfig: Hook['clientConfig'] & object, rules: Rule[], more: Hook = {}): Hook => ({
  name: `${name}.example.com`,
  clientConfig,
  rules,
  sideEffects: 'None',
  admissionReviewVersions: ['v1'],
  failurePolicy: 'Fail',
  timeoutSeconds: 10,
  ...more,
})

async function register(context: BehaviourContext, kind: Kind<Configuration>, webhooks: Hook[], labels: Record<string, string> = {}) {
  const { client } = context
  const name = context.unique('hooks')
  context.afterwards(() => client.delete(kind, { name }).catch(ignoreMissing))
  return client.create(kind, { metadata: { name, labels }, webhooks })
}

const config = ({ namespace }: BehaviourContext, name: string, data: Record<string, string> = {}) => ({
  metadata: { name, namespace },
  data,
})

/** Tries on, as a dry run, until a ConfigMap is refused or let through as wanted. */
async function untilConfig(
  context: BehaviourContext,
  wanted: (made: ConfigMap | null) => boolean,
  data: Record<string, string> = {},
): Promise<void> {
  const { client, signal } = context
  const name = context.unique('trial')
  await eventually(signal, 'the webhooks take hold', async () =>
    wanted(await client.create(configMap, config(context, name, data), { dryRun: true }).catch(() => null)),
  )
}

const BAD = { bad: 'yes' }
const isBad = (object: HookRequest['object']) => (object?.['data'] as Record<string, string> | undefined)?.['bad'] === 'yes'
const refuseBad = ({ object }: HookRequest) => (isBad(object) ? deny(DENIAL)() : allow())
const addData = (key: string) => patched({ op: 'add', path: `/data/${key}`, value: 'yes' })
/** Adds one key where there is data at all. */
const mutateConfig = () => addData('mutated')

const startUsual = (context: BehaviourContext) => startHooks(context, { '/refuse-bad': refuseBad, '/mutate': mutateConfig })

/** Ten configurations with a label, one of which would do; then none. */
function list(kind: Kind<Configuration>, path: string, works: (context: BehaviourContext, wanted: boolean) => Promise<void>): Behaviour {
  return async (context) => {
    const { client, signal } = context
    const { labels, selector } = mark(context)
    const hooks = await startUsual(context)
    const namespaceSelector = await ownNamespace(context)
    for (let i = 0; i < 10; i++)
      await register(context, kind, [hookOf('listed', hooks.clientConfig(path), [rule('configmaps')], { namespaceSelector })], labels)
    const count = async () => (await client.list(kind, { labelSelector: selector })).items.length
    assert.equal(await count(), 10)
    await works(context, true)
    await client.deleteCollection(kind, { labelSelector: selector })
    await eventually(signal, 'none are left', async () => (await count()) === 0)
    await works(context, false)
  }
}

/** Whether bad ConfigMaps are refused, or others changed. */
const refuses = async (context: BehaviourContext, wanted: boolean) => {
  await untilConfig(context, (made) => (made === null) === wanted, BAD)
  const attempt = context.client.create(configMap, config(context, context.unique('bad'), BAD))
  if (wanted) assert.match(await assertRefused(attempt, 'Forbidden'), new RegExp(DENIAL))
  else await attempt
}
const mutates = async (context: BehaviourContext, wanted: boolean) => {
  const does = (made: ConfigMap | null) => made !== null && (made.data?.['mutated'] === 'yes') === wanted
  await untilConfig(context, does, { key: 'value' })
  assert.ok(does(await context.client.create(configMap, config(context, context.unique('changed'), { key: 'value' }))))
}

/** Update away the CREATE of its rules, then patch it back. */
function updateAndPatch(
  kind: Kind<Configuration>,
  path: string,
  works: (context: BehaviourContext, wanted: boolean) => Promise<void>,
): Behaviour {
  return async (context) => {
    const hooks = await startUsual(context)
    const namespaceSelector = await ownNamespace(context)
    const { metadata } = await register(context, kind, [
      hookOf('changing', hooks.clientConfig(path), [rule('configmaps')], { namespaceSelector }),
    ])
    await works(context, true)
    await updateObject(context, kind, metadata, ({ webhooks }) => {
      for (const { rules = [] } of webhooks ?? []) for (const one of rules) one.operations = ['UPDATE']
    })
    await works(context, false)
    const body = [{ op: 'replace', path: '/webhooks/0/rules/0/operations', value: ['CREATE'] }]
    await context.client.patch(kind, metadata, { type: 'json', body })
    await works(context, true)
  }
}

const NOWHERE = { url: 'https://127.0.0.1:1/none' }

function matchConditions(kind: Kind<Configuration>): Behaviour {
  return async (context) => {
    const { client } = context
    const first = [{ name: 'first', expression: 'object.metadata.name != "a"' }]
    const second = [{ name: 'second', expression: 'object.metadata.name != "b"' }]
    const namespaceSelector = await ownNamespace(context)
    const { metadata } = await register(context, kind, [
      hookOf('conditional', NOWHERE, [rule('configmaps')], { namespaceSelector, matchConditions: first }),
    ])
    const stored = async () => (await client.get(kind, metadata)).webhooks?.[0]?.matchConditions
    assert.deepEqual(await stored(), first)
    await updateObject(context, kind, metadata, ({ webhooks }) => {
      for (const hook of webhooks ?? []) hook.matchConditions = second
    })
    assert.deepEqual(await stored(), second)
  }
}

function invalidMatchConditions(kind: Kind<Configuration>): Behaviour {
  return async (context) => {
    const matchConditions = [{ name: 'broken', expression: '... [}' }]
    const hook = hookOf('broken', NOWHERE, [rule('configmaps')], { matchConditions, namespaceSelector: await ownNamespace(context) })
    const message = await assertRefused(register(context, kind, [hook]), 'Invalid')
    assert.match(message, /compilation failed/)
  }
}

const DATA = { type: 'object' as const, additionalProperties: { type: 'string' as const } }

/** A custom resource with a hook on it. */
async function customWithHook(
  context: BehaviourContext,
  kind: Kind<Configuration>,
  hook: (request: HookRequest) => object,
  operations: RuleWithOperations['operations'],
  custom: Custom,
): Promise<{ hooks: HookServer }> {
  const hooks = await startHooks(context, { '/custom': hook })
  const rules = custom.definition.spec.versions.map(({ name }) => rule(custom.plural, operations, custom.group, name))
  await register(context, kind, [hookOf('custom', hooks.clientConfig('/custom'), rules)])
  return { hooks }
}

async function mutatedCustom(context: BehaviourContext, schema: Record<string, object>, keys: string[]) {
  const { client, namespace, signal } = context
  const custom = await defineCustom(context, { schema: { type: 'object', properties: { data: { type: 'object', ...schema } } } })
  await customWithHook(
    context,
    MUTATING,
    () => patched(...keys.map((key) => ({ op: 'add', path: `/data/${key}`, value: 'yes' }))),
    ['CREATE'],
    custom,
  )
  const create = (name: string, dryRun: boolean) =>
    client.create(custom.kind(), { metadata: { name, namespace }, data: { own: 'yes' } }, { dryRun })
  await eventually(
    signal,
    'the webhook takes hold',
    async () => keys[0] !== undefined && keys[0] in ((await create('trial', true))['data'] as object),
  )
  const made = await create('made', false)
  const stored = await client.get(custom.kind(), { name: 'made', namespace })
  assert.deepEqual(made['data'], stored['data'])
  return stored['data']
}

export const behaviours: Behaviours = {
  async 'webhook-discovery'({ client }) {
    await assertDiscovered(client, MUTATING)
    await assertDiscovered(client, VALIDATING)
  },

  'webhook-mutating-list': list(MUTATING, '/mutate', mutates),
  'webhook-validating-list': list(VALIDATING, '/refuse-bad', refuses),
  'webhook-mutating-update-patch': updateAndPatch(MUTATING, '/mutate', mutates),
  'webhook-validating-update-patch': updateAndPatch(VALIDATING, '/refuse-bad', refuses),
  'webhook-mutating-matchconditions-crud': matchConditions(MUTATING),
  'webhook-validating-matchconditions-crud': matchConditions(VALIDATING),
  'webhook-mutating-invalid-matchconditions': invalidMatchConditions(MUTATING),
  'webhook-validating-invalid-matchconditions': invalidMatchConditions(VALIDATING),

  async 'webhook-deny-pod-and-configmap'(context) {
    const { client, namespace, signal } = context
    const hooks = await startHooks(context, {
      '/configmaps': refuseBad,
      '/pods': async ({ object }) => {
        const { name = '' } = (object?.['metadata'] ?? {}) as { name?: string }
        if (name.startsWith('hangs')) await new Promise((resolve) => setTimeout(resolve, 3_000))
        return name.startsWith('bad') ? deny(DENIAL)() : allow()
      },
    })
    const exempt = await context.anotherNamespace()
    const namespaceSelector = await ownNamespace(context)
    const options = { namespaceSelector, timeoutSeconds: 1 }
    await register(context, VALIDATING, [
      hookOf('pods', hooks.clientConfig('/pods'), [rule('pods')], options),
      hookOf('configmaps', hooks.clientConfig('/configmaps'), [rule('configmaps', ['CREATE', 'UPDATE'])], options),
    ])
    await untilConfig(context, (made) => made === null, BAD)
    const podOf = (name: string) => client.create(pod, { metadata: { name, namespace }, spec: podSpec() })
    await eventually(signal, 'pods are judged', () =>
      podOf('bad-trial').then(
        () => false,
        () => true,
      ),
    )
    assert.match(await assertRefused(podOf('bad'), 'Forbidden'), new RegExp(DENIAL))
    const hanging = await podOf('hangs').then(
      () => null,
      (error: unknown) => error as Error,
    )
    assert.match(hanging?.message ?? 'accepted', /deadline|timeout|timed out/i)

    assert.match(await assertRefused(client.create(configMap, config(context, 'bad', BAD)), 'Forbidden'), new RegExp(DENIAL))
    const { metadata } = await client.create(configMap, config(context, 'good', { key: 'value' }))
    await assertRefused(
      updateObject(context, configMap, metadata, (object) => void (object.data = BAD)),
      'Forbidden',
    )
    await assertRefused(client.patch(configMap, metadata, { type: 'merge', body: { data: BAD } }), 'Forbidden')
    await client.create(configMap, { metadata: { name: 'bad', namespace: exempt }, data: BAD })
  },

  async 'webhook-deny-attach'(context) {
    const { client, namespace, signal, unique } = context
    const hooks = await startHooks(context, { '/attach': deny(DENIAL) })
    const namespaceSelector = await ownNamespace(context)
    await client.create(pod, { metadata: { name: 'attached', namespace }, spec: podSpec() })
    await register(context, VALIDATING, [
      hookOf(unique('attach'), hooks.clientConfig('/attach'), [rule('pods/attach', ['CONNECT'])], { namespaceSelector }),
    ])
    await eventually(signal, 'attaching is refused by the webhook', async () => {
      const { code, err } = await context.kubectl(['attach', 'attached', '--pod-running-timeout=1s'])
      assert.notEqual(code, 0)
      return err.includes(DENIAL)
    })
  },

  async 'webhook-deny-custom-resource'(context) {
    const { client, namespace, signal } = context
    const custom = await defineCustom(context, { schema: { type: 'object', properties: { data: DATA } } })
    const judge = ({ operation, object, oldObject }: HookRequest) =>
      (operation === 'DELETE' ? isBad(oldObject) || (oldObject?.['data'] as Record<string, string>)?.['kept'] === 'yes' : isBad(object))
        ? deny(DENIAL)()
        : allow()
    await customWithHook(context, VALIDATING, judge, ['CREATE', 'UPDATE', 'DELETE'], custom)
    const create = (name: string, data: Record<string, string>, dryRun = false) =>
      client.create(custom.kind(), { metadata: { name, namespace }, data }, { dryRun })
    await eventually(signal, 'the webhook takes hold', () =>
      create('trial', BAD, true).then(
        () => false,
        () => true,
      ),
    )
    assert.match(await assertRefused(create('bad', BAD), 'Forbidden'), new RegExp(DENIAL))
    const { metadata } = await create('good', { kept: 'yes' })
    await assertRefused(client.patch(custom.kind(), metadata, { type: 'merge', body: { data: BAD } }), 'Forbidden')
    await assertRefused(client.delete(custom.kind(), metadata), 'Forbidden')
    await client.patch(custom.kind(), metadata, { type: 'merge', body: { data: { kept: 'no' } } })
    await client.delete(custom.kind(), metadata)
  },

  async 'webhook-deny-crd-create'(context) {
    const { client, signal } = context
    const { labels } = mark(context)
    const hooks = await startHooks(context, { '/refuse': deny(DENIAL) })
    const rules = [rule('customresourcedefinitions', ['CREATE'], 'apiextensions.k8s.io')]
    await register(context, VALIDATING, [hookOf('crds', hooks.clientConfig('/refuse'), rules, { objectSelector: { matchLabels: labels } })])
    const draft = definitionDraft(context, { labels })
    await eventually(signal, 'the webhook takes hold', () =>
      client.create(customResourceDefinition, draft, { dryRun: true }).then(
        () => false,
        () => true,
      ),
    )
    assert.match(await assertRefused(client.create(customResourceDefinition, draft), 'Forbidden'), new RegExp(DENIAL))
    await assertRefused(client.get(customResourceDefinition, { name: draft.metadata?.name ?? '' }), 'NotFound')
  },

  async 'webhook-honor-timeout'(context) {
    const { client } = context
    const hooks = await startHooks(context, {
      '/slow': async () => {
        await new Promise((resolve) => setTimeout(resolve, 5_000))
        return allow()
      },
      '/mark': deny('taken hold'),
    })
    const namespaceSelector = await ownNamespace(context)
    /** How a create ends under the slow hook, once a hook that was registered with it is seen to work. */
    const attempt = async (more: Hook) => {
      const slow = hookOf('slow', hooks.clientConfig('/slow'), [rule('configmaps')], { namespaceSelector, ...more })
      const marker = { ...hookOf('marker', hooks.clientConfig('/mark'), [rule('pods')], { namespaceSelector }) }
      const { metadata } = await register(context, VALIDATING, [slow, marker])
      await eventually(context.signal, 'the webhooks take hold', () =>
        client.create(pod, { metadata: { name: 'marker', namespace: context.namespace }, spec: podSpec() }, { dryRun: true }).then(
          () => false,
          (error: Error) => error.message.includes('taken hold'),
        ),
      )
      const outcome = await client.create(configMap, config(context, context.unique('slow'))).then(
        () => 'created',
        (error: Error) => error.message,
      )
      await client.delete(VALIDATING, metadata)
      await untilGone(context, VALIDATING, metadata)
      return outcome
    }
    assert.match(await attempt({ timeoutSeconds: 1, failurePolicy: 'Fail' }), /deadline|timeout|timed out/i)
    assert.equal(await attempt({ timeoutSeconds: 1, failurePolicy: 'Ignore' }), 'created')
    assert.equal(await attempt({ timeoutSeconds: 10, failurePolicy: 'Fail' }), 'created')
  },

  async 'webhook-mutate-configmap-ordered'(context) {
    const { client } = context
    const after =
      (seen: string, key: string) =>
      ({ object }: HookRequest) =>
        (object?.['data'] as Record<string, string> | undefined)?.[seen] ? addData(key) : allow()
    const hooks = await startHooks(context, { '/one': after('start', 'stage-1'), '/two': after('stage-1', 'stage-2') })
    const namespaceSelector = await ownNamespace(context)
    const hook = (name: string) => hookOf(name, hooks.clientConfig(`/${name}`), [rule('configmaps')], { namespaceSelector })
    await register(context, MUTATING, [hook('one'), hook('two')])
    await untilConfig(context, (made) => made?.data?.['stage-2'] === 'yes', { start: 'yes' })
    const { metadata } = await client.create(configMap, config(context, 'changed', { start: 'yes' }))
    assert.deepEqual((await client.get(configMap, metadata)).data, { start: 'yes', 'stage-1': 'yes', 'stage-2': 'yes' })
  },

  async 'webhook-mutate-custom-resource'(context) {
    assert.deepEqual(await mutatedCustom(context, { additionalProperties: { type: 'string' } }, ['added']), { own: 'yes', added: 'yes' })
  },

  async 'webhook-mutate-cr-pruning'(context) {
    const properties = { own: { type: 'string' }, declared: { type: 'string' } }
    assert.deepEqual(await mutatedCustom(context, { properties }, ['declared', 'undeclared']), { own: 'yes', declared: 'yes' })
  },

  async 'webhook-mutate-cr-stored-version-change'(context) {
    const { client, namespace, signal } = context
    const schema = { type: 'object', properties: { data: DATA } }
    const custom = await defineCustom(context, { versions: [versionOf('v1', schema), versionOf('v2', schema)] })
    await customWithHook(context, MUTATING, () => patched({ op: 'add', path: '/data/mutated', value: 'yes' }), ['CREATE', 'UPDATE'], custom)
    const create = (name: string, dryRun: boolean) =>
      client.create(custom.kind(), { metadata: { name, namespace }, data: { a: 'b' } }, { dryRun })
    await eventually(signal, 'the webhook takes hold', async () => 'mutated' in ((await create('trial', true))['data'] as object))
    const { metadata } = await create('stored', false)
    await updateObject(context, customResourceDefinition, { name: custom.name }, ({ spec }) => {
      for (const version of spec.versions) version.storage = version.name === 'v2'
    })
    await client.patch(custom.kind('v2'), metadata, { type: 'merge', body: { data: { patched: 'yes' } } })
    const { data } = await client.get(custom.kind(), metadata)
    assert.deepEqual(data, { a: 'b', mutated: 'yes', patched: 'yes' })
  },

  async 'webhook-mutate-except-skip-me'(context) {
    const { client } = context
    const hooks = await startUsual(context)
    const matchConditions = [{ name: 'skip-me', expression: "object.metadata.name != 'skip-me'" }]
    const options = { namespaceSelector: await ownNamespace(context), matchConditions }
    await register(context, MUTATING, [hookOf('skips', hooks.clientConfig('/mutate'), [rule('configmaps')], options)])
    await mutates(context, true)
    const skipped = await client.create(configMap, config(context, 'skip-me', { key: 'value' }))
    assert.deepEqual(skipped.data, { key: 'value' })
  },

  async 'webhook-mutate-pod-then-default'(context) {
    const { client, namespace, signal } = context
    const container = containerOf({ name: 'added' })
    const hooks = await startHooks(context, { '/pods': () => patched({ op: 'add', path: '/spec/initContainers', value: [container] }) })
    const namespaceSelector = await ownNamespace(context)
    await register(context, MUTATING, [hookOf('pods', hooks.clientConfig('/pods'), [rule('pods')], { namespaceSelector })])
    const create = (name: string, dryRun: boolean) => client.create(pod, { metadata: { name, namespace }, spec: podSpec() }, { dryRun })
    await eventually(signal, 'the webhook takes hold', async () => (await create('trial', true)).spec.initContainers?.length)
    const { metadata } = await create('changed', false)
    const { initContainers } = (await client.get(pod, metadata)).spec
    assertHas({ initContainers }, { initContainers: [{ name: 'added', terminationMessagePolicy: 'File' }] })
  },

  async 'webhook-config-objects-exempt'(context) {
    const { client } = context
    const { labels } = mark(context)
    const hooks = await startHooks(context, {
      '/mutate': () => patched({ op: 'add', path: '/metadata/labels/mutated', value: 'yes' }),
      '/refuse': deny(DENIAL),
      '/refuse-bad': refuseBad,
    })
    const namespaceSelector = await ownNamespace(context)
    const ofAll = (operations: RuleWithOperations['operations']) =>
      [MUTATING, VALIDATING].map(({ resource, group }) => rule(resource, operations, group))
    const objectSelector = { matchLabels: labels }
    await register(context, VALIDATING, [
      hookOf('deletion', hooks.clientConfig('/refuse'), ofAll(['DELETE']), { objectSelector }),
      hookOf('marker', hooks.clientConfig('/refuse-bad'), [rule('configmaps')], { namespaceSelector }),
    ])
    await register(context, MUTATING, [hookOf('mutation', hooks.clientConfig('/mutate'), ofAll(['CREATE']), { objectSelector })])
    await refuses(context, true)
    for (const kind of [MUTATING, VALIDATING]) {
      const none = [hookOf('dummy', NOWHERE, [rule('nothing', ['CREATE'], 'none.example.com')])]
      const { metadata } = await register(context, kind, none, labels)
      assert.deepEqual((await client.get(kind, metadata)).metadata.labels, labels)
      await client.delete(kind, metadata)
      await untilGone(context, kind, metadata)
    }
  },

  async 'webhook-fail-closed'(context) {
    const { client, namespace } = context
    const hooks = await startUsual(context)
    const { url } = hooks.clientConfig('/refuse-bad')
    const namespaceSelector = await ownNamespace(context)
    await register(context, VALIDATING, [hookOf('unreachable', { url }, [rule('configmaps')], { namespaceSelector })])
    await untilConfig(context, (made) => made === null)
    for (let i = 0; i < 5; i++) await assertRefused(client.create(configMap, config(context, `refused-${i}`)), 'InternalError')
    const { items } = await client.list(configMap, { namespace })
    assert.deepEqual(
      items.filter(({ metadata }) => metadata.name.startsWith('refused')),
      [],
    )
  },
}
