import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { node, pod, priorityClass, serviceAccount } from '../../api/kinds.gen.ts'
import type { Pod } from '../../api/core/v1/types.gen.ts'
import type { Draft } from '../../api/meta/v1/object.ts'
import { settle } from '../../base/fake-clock.ts'
import { startTestServer, type TestServer } from '../testing/harness.ts'

let test: TestServer
beforeEach(async () => {
  test = await startTestServer({ admission: { disabled: [] } })
})
afterEach(() => test.stop())

const at = (name: string) => ({ name, namespace: 'default' })
const draft = (spec: Draft<Pod['spec']> = {}, meta = {}): Draft<Pod> => ({
  metadata: { ...at('p'), ...meta },
  spec: { containers: [{ name: 'c', image: 'i' }], ...spec },
})
const account = (name: string, more: object = {}) => test.client.create(serviceAccount, { metadata: at(name), ...more })

describe('service accounts', () => {
  it('are waited for a moment where the default one is meant', async () => {
    const made = test.client.create(pod, draft())
    await settle()
    await test.clock.advance(250)
    await account('default')
    await test.clock.advance(100)
    expect((await made).spec.serviceAccountName).toBe('default')
  })

  it('must be there, in upstream words', async () => {
    const message = 'pods "p" is forbidden: error looking up service account default/none: serviceaccount "none" not found'
    await expect(test.client.create(pod, draft({ serviceAccountName: 'none' }))).rejects.toMatchObject({ code: 403, message })
    const absent = test.client.create(pod, draft())
    absent.catch(() => undefined)
    await settle()
    await test.clock.advance(2000)
    await expect(absent).rejects.toThrow('error looking up service account default/default: serviceaccount "default" not found')
  })

  it('get their token mounted into every container', async () => {
    await account('default')
    const { spec } = await test.client.create(pod, draft({ initContainers: [{ name: 'i', image: 'i' }] }))
    const volume = spec.volumes?.[0]
    expect(volume?.name).toMatch(/^kube-api-access-[a-z0-9]{5}$/)
    const mount = { name: volume?.name, readOnly: true, mountPath: '/var/run/secrets/kubernetes.io/serviceaccount' }
    expect([...spec.containers, ...(spec.initContainers ?? [])].map((c) => c.volumeMounts)).toEqual([[mount], [mount]])
    expect(volume?.projected).toEqual({
      defaultMode: 420,
      sources: [
        { serviceAccountToken: { expirationSeconds: 3607, path: 'token' } },
        { configMap: { name: 'kube-root-ca.crt', items: [{ key: 'ca.crt', path: 'ca.crt' }] } },
        { downwardAPI: { items: [{ path: 'namespace', fieldRef: { apiVersion: 'v1', fieldPath: 'metadata.namespace' } }] } },
      ],
    })
  })

  it('keep their token from pods that do not want it', async () => {
    await account('default', { automountServiceAccountToken: false })
    await account('other')
    expect((await test.client.create(pod, draft())).spec.volumes).toBeUndefined()
    const wants = draft({ automountServiceAccountToken: true }, { name: 'q' })
    expect((await test.client.create(pod, wants)).spec.volumes).toHaveLength(1)
    const refuses = draft({ serviceAccountName: 'other', automountServiceAccountToken: false }, { name: 'r' })
    expect((await test.client.create(pod, refuses)).spec.volumes).toBeUndefined()
  })

  it('leave a place alone where something is mounted already', async () => {
    await account('default')
    const containers = [
      { name: 'c', image: 'i', volumeMounts: [{ name: 'v', mountPath: '/var/run/secrets/kubernetes.io/serviceaccount' }] },
    ]
    const made = await test.client.create(pod, draft({ containers, volumes: [{ name: 'v', emptyDir: {} }] }))
    expect(made.spec.volumes?.map((v) => v.name)).toEqual(['v'])
  })

  it('bring the secrets that images are pulled with', async () => {
    await account('default', { imagePullSecrets: [{ name: 'registry' }] })
    expect((await test.client.create(pod, draft())).spec.imagePullSecrets).toEqual([{ name: 'registry' }])
    const own = draft({ imagePullSecrets: [{ name: 'mine' }] }, { name: 'q' })
    expect((await test.client.create(pod, own)).spec.imagePullSecrets).toEqual([{ name: 'mine' }])
  })
})

describe('priorities', () => {
  beforeEach(() => account('default'))

  it('come from the class, or are 0', async () => {
    expect((await test.client.create(pod, draft())).spec).toMatchObject({ priority: 0, preemptionPolicy: 'PreemptLowerPriority' })
    await test.client.create(priorityClass, { metadata: { name: 'high' }, value: 1000, preemptionPolicy: 'Never' })
    const high = await test.client.create(pod, draft({ priorityClassName: 'high' }, { name: 'q' }))
    expect(high.spec).toMatchObject({ priority: 1000, preemptionPolicy: 'Never' })
    const system = await test.client.create(pod, draft({ priorityClassName: 'system-node-critical' }, { name: 'r' }))
    expect(system.spec.priority).toBe(2_000_001_000)
  })

  it('come from the class that stands for those who name none', async () => {
    await test.client.create(priorityClass, { metadata: { name: 'usual' }, value: 7, globalDefault: true })
    expect((await test.client.create(pod, draft())).spec).toMatchObject({ priority: 7, priorityClassName: 'usual' })
    await expect(test.client.create(priorityClass, { metadata: { name: 'other' }, value: 8, globalDefault: true })).rejects.toThrow(
      'priorityclasses.scheduling.k8s.io "other" is forbidden: PriorityClass usual is already marked as default. Only one default can exist',
    )
  })

  it('cannot be chosen without a class', async () => {
    await expect(test.client.create(pod, draft({ priorityClassName: 'none' }))).rejects.toMatchObject({
      code: 403,
      message: 'pods "p" is forbidden: no PriorityClass with name none was found',
    })
    await expect(test.client.create(pod, draft({ priority: 5 }))).rejects.toThrow(
      'the integer value of priority (5) must not be provided in pod spec; priority admission controller computed 0 from the given PriorityClass name',
    )
  })
})

describe('tolerations', () => {
  beforeEach(() => account('default'))
  const added = (key: string) => ({ key: `node.kubernetes.io/${key}`, operator: 'Exists', effect: 'NoExecute', tolerationSeconds: 300 })

  it('of a node that is lost for a while are added', async () => {
    expect((await test.client.create(pod, draft())).spec.tolerations).toEqual([added('not-ready'), added('unreachable')])
  })

  it('that the pod has are kept', async () => {
    const own = { ...added('not-ready'), tolerationSeconds: 5 }
    expect((await test.client.create(pod, draft({ tolerations: [own as never] }))).spec.tolerations).toEqual([own, added('unreachable')])
    const all = [{ operator: 'Exists' as const }]
    expect((await test.client.create(pod, draft({ tolerations: all }, { name: 'q' }))).spec.tolerations).toEqual(all)
  })

  it('last as long as the server is told', async () => {
    await using other = await startTestServer({ admission: { disabled: ['ServiceAccount'], tolerationSeconds: 30 } })
    const made = await other.client.create(pod, draft())
    expect(made.spec.tolerations?.map((t) => t.tolerationSeconds)).toEqual([30, 30])
  })
})

describe('nodes', () => {
  it('take no pods before they are ready', async () => {
    const made = await test.client.create(node, { metadata: { name: 'n' } })
    expect(made.spec.taints).toEqual([{ key: 'node.kubernetes.io/not-ready', effect: 'NoSchedule' }])
  })
})

describe('the chain', () => {
  it('can be shortened, but only by what there is', async () => {
    await expect(startTestServer({ admission: { disabled: ['Priorities'] } })).rejects.toThrow('there is no admission plugin Priorities')
  })

  it('ends with the checks that others bring', async () => {
    const seen: string[] = []
    await using strict = await startTestServer({
      checks: [
        async ({ operation, kind, name, object, old }) => {
          if (kind.kind === 'Node') seen.push(`${operation} ${name} ${object ? 'object' : '-'} ${old ? 'old' : '-'}`)
        },
      ],
    })
    const made = await strict.client.create(node, { metadata: { name: 'n' } })
    await strict.client.update(node, { ...made, metadata: { ...made.metadata, labels: { a: 'b' } } })
    await strict.client.delete(node, { name: 'n' })
    expect(seen).toEqual(['CREATE n object -', 'UPDATE n object old', 'DELETE n - old'])
  })
})
