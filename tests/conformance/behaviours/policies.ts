/** ValidatingAdmissionPolicy and MutatingAdmissionPolicy. */
import assert from 'node:assert/strict'
import { deployment, namespace as namespaceKind, replicaSet } from '../../../electron/api/kinds.gen.ts'
import type {
  MatchResources,
  MutatingAdmissionPolicySpec,
  ValidatingAdmissionPolicySpec,
} from '../../../electron/api/admissionregistration/v1/types.gen.ts'
import type { Draft } from '../../../electron/api/meta/v1/object.ts'
import { eventually, type BehaviourContext, type Behaviours } from '../lib/behaviour.ts'
import { mutatingBinding, mutatingPolicy, validatingBinding, validatingPolicy } from '../lib/extension-kinds.ts'
import { workloadSpec } from '../lib/objects.ts'
import { assertHas, assertRefused, mark, wholeApi } from '../lib/whole-api.ts'

const deployments: Draft<MatchResources> = {
  resourceRules: [{ apiGroups: ['apps'], apiVersions: ['v1'], operations: ['CREATE', 'UPDATE'], resources: ['deployments'] }],
}

const draft = (name: string, namespace: string, replicas: number, annotations: Record<string, string> = {}) => ({
  metadata: { name, namespace, annotations },
  spec: { replicas, ...workloadSpec({ app: name }) },
})

/** Labels the test's namespace, so that nothing else is touched; what a binding selects it by. */
async function selectNamespace(context: BehaviourContext): Promise<Draft<MatchResources>> {
  const { labels } = mark(context)
  await context.client.patch(namespaceKind, { name: context.namespace }, { type: 'merge', body: { metadata: { labels } } })
  return { namespaceSelector: { matchLabels: labels } }
}

async function validate(context: BehaviourContext, spec: Draft<ValidatingAdmissionPolicySpec>): Promise<void> {
  const { client } = context
  const name = context.unique('policy')
  const matchResources = await selectNamespace(context)
  context.afterwards(() => client.delete(validatingPolicy, { name }))
  await client.create(validatingPolicy, { metadata: { name }, spec: { matchConstraints: deployments, ...spec } })
  context.afterwards(() => client.delete(validatingBinding, { name }))
  await client.create(validatingBinding, {
    metadata: { name },
    spec: { policyName: name, validationActions: ['Deny'], matchResources },
  })
}

async function mutate(context: BehaviourContext, expression: string): Promise<void> {
  const { client } = context
  const name = context.unique('policy')
  const matchResources = await selectNamespace(context)
  const spec: Draft<MutatingAdmissionPolicySpec> = {
    matchConstraints: deployments,
    reinvocationPolicy: 'Never',
    mutations: [{ patchType: 'ApplyConfiguration', applyConfiguration: { expression } }],
  }
  context.afterwards(() => client.delete(mutatingPolicy, { name }))
  await client.create(mutatingPolicy, { metadata: { name }, spec })
  context.afterwards(() => client.delete(mutatingBinding, { name }))
  await client.create(mutatingBinding, { metadata: { name }, spec: { policyName: name, matchResources } })
}

/** A new policy takes hold a little later: tries on as a dry run until it does. */
async function untilRefused(context: BehaviourContext, object: ReturnType<typeof draft>): Promise<void> {
  const { client, signal } = context
  await eventually(signal, 'the policy takes hold', () =>
    client.create(deployment, object, { dryRun: true }).then(
      () => false,
      () => true,
    ),
  )
  await assertRefused(client.create(deployment, object), 'Invalid')
}

export const behaviours: Behaviours = {
  'vap-api': wholeApi({
    kind: validatingPolicy,
    subresources: ['status'],
    draft: () => ({ spec: { matchConstraints: deployments, validations: [{ expression: 'object.spec.replicas <= 100' }] } }),
  }),
  'vap-binding-api': wholeApi({
    kind: validatingBinding,
    draft: () => ({ spec: { policyName: 'none.example.com', validationActions: ['Deny' as const] } }),
  }),
  'map-api': wholeApi({
    kind: mutatingPolicy,
    draft: () => ({
      spec: {
        matchConstraints: deployments,
        reinvocationPolicy: 'Never' as const,
        mutations: [
          { patchType: 'ApplyConfiguration' as const, applyConfiguration: { expression: 'Object{spec: Object.spec{replicas: 1}}' } },
        ],
      },
    }),
    async also({ client }, { metadata }) {
      await client.patch(mutatingPolicy, metadata, { type: 'merge', body: { spec: { reinvocationPolicy: 'IfNeeded' } } })
      assert.equal((await client.get(mutatingPolicy, metadata)).spec.reinvocationPolicy, 'IfNeeded')
    },
  }),
  'map-binding-api': wholeApi({ kind: mutatingBinding, draft: () => ({ spec: { policyName: 'none.example.com' } }) }),

  async 'vap-validate-deployment'(context) {
    const { client, namespace } = context
    await validate(context, { validations: [{ expression: 'object.spec.replicas > 1', reason: 'Invalid' }] })
    await untilRefused(context, draft('one', namespace, 1))
    await client.create(deployment, draft('two', namespace, 2))
    await client.create(replicaSet, draft('one', namespace, 1))
  },

  async 'vap-variables'(context) {
    const { client, namespace } = context
    await validate(context, {
      variables: [
        { name: 'replicas', expression: 'object.spec.replicas' },
        { name: 'oddReplicas', expression: 'variables.replicas % 2 == 1' },
      ],
      validations: [
        { expression: 'variables.replicas > 1', reason: 'Invalid' },
        { expression: 'variables.oddReplicas', reason: 'Invalid' },
      ],
    })
    await untilRefused(context, draft('one', namespace, 1))
    for (const even of [2, 4]) await assertRefused(client.create(deployment, draft('even', namespace, even)), 'Invalid')
    await client.create(deployment, draft('three', namespace, 3))
  },

  async 'map-mutate-deployment'(context) {
    const { client, namespace, signal } = context
    await mutate(context, 'Object{spec: Object.spec{replicas: 1337}}')
    const replicas = async (dryRun: boolean) => (await client.create(deployment, draft('changed', namespace, 1), { dryRun })).spec.replicas
    await eventually(signal, 'the policy takes hold', async () => (await replicas(true)) === 1337)
    assert.equal(await replicas(false), 1337)
  },

  async 'map-annotate-deployment'(context) {
    const { client, namespace, signal } = context
    await mutate(context, 'Object{metadata: Object.metadata{annotations: {"mutated-by": "admission-policy"}}}')
    const made = (dryRun: boolean) => client.create(deployment, draft('annotated', namespace, 1, { own: 'yes' }), { dryRun })
    await eventually(signal, 'the policy takes hold', async () => 'mutated-by' in ((await made(true)).metadata.annotations ?? {}))
    assertHas(await made(false), { metadata: { annotations: { own: 'yes', 'mutated-by': 'admission-policy' } } })
  },
}
