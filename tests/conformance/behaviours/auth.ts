/** ServiceAccount, SubjectAccessReview and CertificateSigningRequest. */
import assert from 'node:assert/strict'
import { certificateRequest, generateKey } from '../../../electron/agent/bootstrap/certificate-request.ts'
import { certificateSigningRequest, configMap, pod, role, roleBinding, serviceAccount } from '../../../electron/api/kinds.gen.ts'
import type { SubjectAccessReview } from '../../../electron/api/authorization/v1/types.gen.ts'
import { eventually, type BehaviourContext, type Behaviours } from '../lib/behaviour.ts'
import { podSpec } from '../lib/objects.ts'
import { send } from '../lib/raw.ts'
import { startWatch } from '../lib/watching.ts'
import { assertHas, mark, updateObject, wholeApi } from '../lib/whole-api.ts'

const ROOT_CA = 'kube-root-ca.crt'
const TOKEN_PATH = '/var/run/secrets/kubernetes.io/serviceaccount'

const base64 = (text: string) => Buffer.from(text).toString('base64')

/** What a POST of this object is answered with. */
async function post<T>({ client }: BehaviourContext, path: string, body: object): Promise<T> {
  const answer = await send(client, 'POST', path, body)
  assert.equal(answer.status, 201, answer.text)
  return answer.json<T>()
}

export const behaviours: Behaviours = {
  async 'root-ca-configmap'(context) {
    const { client, signal } = context
    const at = { name: ROOT_CA, namespace: await context.anotherNamespace() }
    const found = () => client.get(configMap, at).catch(() => null)
    const first = await eventually(signal, 'the ConfigMap appears', found)
    assert.match(first.data?.['ca.crt'] ?? '', /BEGIN CERTIFICATE/)
    await client.delete(configMap, at)
    await eventually(signal, 'it is made again', async () => {
      const again = await found()
      return again && again.metadata.uid !== first.metadata.uid
    })
    await client.patch(configMap, at, { type: 'merge', body: { data: { 'ca.crt': 'wrong' } } })
    await eventually(signal, 'its data is put right', async () => {
      assert.deepEqual((await found())?.data, first.data)
      return true
    })
  },

  async 'serviceaccount-automount-opt-out'(context) {
    const { client, namespace } = context
    for (const ofAccount of [undefined, true, false]) {
      const name = `account-${ofAccount ?? 'unset'}`
      await client.create(serviceAccount, {
        metadata: { name, namespace },
        ...(ofAccount === undefined ? {} : { automountServiceAccountToken: ofAccount }),
      })
      for (const ofPod of [undefined, true, false]) {
        const spec = podSpec({ serviceAccountName: name, ...(ofPod === undefined ? {} : { automountServiceAccountToken: ofPod }) })
        const made = await client.create(pod, { metadata: { name: `${name}-${ofPod ?? 'unset'}`, namespace }, spec })
        const mounted = (made.spec.containers[0]?.volumeMounts ?? []).some(({ mountPath }) => mountPath === TOKEN_PATH)
        assert.equal(mounted, ofPod ?? ofAccount ?? true, `the pod says ${ofPod}, the account ${ofAccount}`)
      }
    }
  },

  async 'serviceaccount-lifecycle'(context) {
    const { client, namespace, signal } = context
    const { labels, selector } = mark(context)
    const at = { name: context.unique('account'), namespace }
    await using watching = await startWatch(client, serviceAccount, { namespace, labelSelector: selector, signal })
    const made = await client.create(serviceAccount, { metadata: { ...at, labels } })
    assert.equal((await watching.until('ADDED')).metadata.uid, made.metadata.uid)
    const patched = await client.patch(serviceAccount, at, { type: 'strategic', body: { automountServiceAccountToken: false } })
    assert.equal(patched.automountServiceAccountToken, false)
    const { items } = await client.list(serviceAccount, { labelSelector: selector })
    assert.deepEqual(
      items.map(({ metadata, automountServiceAccountToken }) => [metadata.uid, automountServiceAccountToken]),
      [[made.metadata.uid, false]],
    )
    await client.delete(serviceAccount, at)
    assert.equal((await watching.until('DELETED')).metadata.uid, made.metadata.uid)
  },

  async 'serviceaccount-update'(context) {
    const { client, namespace } = context
    const at = { name: context.unique('account'), namespace }
    await client.create(serviceAccount, { metadata: at })
    await updateObject(context, serviceAccount, at, (object) => void (object.automountServiceAccountToken = true))
    assert.equal((await client.get(serviceAccount, at)).automountServiceAccountToken, true)
  },

  async 'serviceaccount-token-review'(context) {
    const { client, namespace } = context
    const name = context.unique('account')
    await client.create(serviceAccount, { metadata: { name, namespace } })
    const { status } = await post<{ status: { token: string } }>(context, `/api/v1/namespaces/${namespace}/serviceaccounts/${name}/token`, {
      apiVersion: 'authentication.k8s.io/v1',
      kind: 'TokenRequest',
      spec: {},
    })
    assert.ok(status.token)
    const review = await post<{ status: { authenticated?: boolean; error?: string; user?: { username?: string } } }>(
      context,
      '/apis/authentication.k8s.io/v1/tokenreviews',
      { apiVersion: 'authentication.k8s.io/v1', kind: 'TokenReview', spec: { token: status.token } },
    )
    assert.equal(review.status.authenticated, true)
    assert.equal(review.status.error ?? '', '')
    assert.equal(review.status.user?.username, `system:serviceaccount:${namespace}:${name}`)
  },

  async 'subject-access-review'(context) {
    const { client, namespace, signal } = context
    const name = context.unique('account')
    const user = `system:serviceaccount:${namespace}:${name}`
    const groups = ['system:authenticated', 'system:serviceaccounts', `system:serviceaccounts:${namespace}`]
    await client.create(serviceAccount, { metadata: { name, namespace } })
    const review = async (local: boolean, verb: string) => {
      const path = `/apis/authorization.k8s.io/v1/${local ? `namespaces/${namespace}/localsubjectaccessreviews` : 'subjectaccessreviews'}`
      const answer = await post<SubjectAccessReview>(context, path, {
        apiVersion: 'authorization.k8s.io/v1',
        kind: local ? 'LocalSubjectAccessReview' : 'SubjectAccessReview',
        ...(local ? { metadata: { namespace } } : {}),
        spec: { user, groups, resourceAttributes: { verb, resource: 'configmaps', namespace, version: 'v1' } },
      })
      return answer.status.allowed
    }
    const impersonated = async (method: string, target: string, body?: object) => {
      const headers = { 'impersonate-user': user }
      return (await send(client, method, `/api/v1/namespaces/${namespace}/configmaps${target}`, body, headers)).status < 400
    }
    const compare = async (list: boolean) => {
      for (const local of [false, true]) {
        assert.equal(await review(local, 'list'), list)
        assert.equal(await review(local, 'create'), false)
      }
      assert.equal(await impersonated('GET', ''), list)
      assert.equal(await impersonated('POST', '', { metadata: { name: 'refused' } }), false)
    }
    await compare(false)

    await client.create(role, {
      metadata: { name: 'reader', namespace },
      rules: [{ verbs: ['list'], apiGroups: [''], resources: ['configmaps'] }],
    })
    await client.create(roleBinding, {
      metadata: { name: 'reader', namespace },
      roleRef: { apiGroup: 'rbac.authorization.k8s.io', kind: 'Role', name: 'reader' },
      subjects: [{ kind: 'ServiceAccount', name, namespace }],
    })
    await eventually(signal, 'the binding is known', () => review(false, 'list'))
    await compare(true)
  },

  'csr-api': async (context) => {
    const pem = certificateRequest(await generateKey(), { commonName: 'conformance', organization: 'example', names: [] })
    const request = base64(pem)
    const status = async (subresource: 'status' | 'approval', { client }: BehaviourContext, name: string) => {
      const at = { name }
      const made = await client.get(certificateSigningRequest, at, { subresource })
      assert.equal(made.metadata.name, name)
      const condition = (type: string) => ({ type, status: 'True' as const, reason: 'Conformance', message: 'set by a test' })
      const [first, second] = subresource === 'approval' ? ['Approved', 'AlsoThis'] : ['Seen', 'SeenAgain']
      const conditions = [...(made.status.conditions ?? []), condition(first)]
      await client.patch(certificateSigningRequest, at, { type: 'merge', body: { status: { conditions } } }, { subresource })
      assertHas({ all: (await client.get(certificateSigningRequest, at, { subresource })).status.conditions }, { all: conditions })
      await updateObject(
        context,
        certificateSigningRequest,
        at,
        (object) => void (object.status.conditions = [...(object.status.conditions ?? []), condition(second)]),
        subresource,
      )
      const types = (await client.get(certificateSigningRequest, at)).status.conditions?.map(({ type }) => type) ?? []
      assert.ok(types.includes(first) && types.includes(second), types.join())
    }
    await wholeApi({
      kind: certificateSigningRequest,
      draft: () => ({
        spec: { request, signerName: 'example.com/conformance', usages: ['client auth' as const], expirationSeconds: 3600 },
      }),
      subresources: ['approval', 'status'],
      also: async (context, { metadata }) => {
        await status('approval', context, metadata.name)
        await status('status', context, metadata.name)
      },
    })(context)
  },
}
