import { describe, expect, it } from 'vitest'
import { lease } from '../../api/coordination/v1/lease.ts'
import { node as nodeKind } from '../../api/core/v1/node.ts'
import { pod as podKind } from '../../api/core/v1/pod.ts'
import { serviceAccount } from '../../api/core/v1/service-account.ts'
import type { AnyKind } from '../../api/kind.ts'
import type { KubeObject } from '../../api/meta/v1/object.ts'
import type { AdmissionRequest, UserInfo } from '../types.ts'
import { nodeAuthorizer } from './node-authorizer.ts'
import type { NodeReferences } from './node-references.ts'
import { nodeRestriction } from './node-restriction.ts'

const MOTH: UserInfo = { name: 'system:node:moth', groups: ['system:nodes', 'system:authenticated'] }
/** On moth: pod "mine" with secret s, config map c, claim v (volume pv) and service account a. On wasp: pod "theirs". */
const REFERENCES: NodeReferences = {
  uses: (node, referent, namespace, name) =>
    node === 'moth' &&
    namespace === 'ns' &&
    { secrets: 's', configmaps: 'c', persistentvolumeclaims: 'v', serviceaccounts: 'a' }[referent] === name,
  usesVolume: (node, volume) => node === 'moth' && volume === 'pv',
  nodeOfPod: (namespace, name) => (namespace !== 'ns' ? undefined : { mine: 'moth', theirs: 'wasp' }[name]),
}
const authorize = nodeAuthorizer(REFERENCES)

async function may(verb: string, what: string, fieldSelector?: string, user = MOTH): Promise<boolean> {
  const [path = '', name = ''] = what.split(' ')
  const [full = '', ...groups] = path.split('.')
  const [resource = '', subresource = ''] = full.split('/')
  const namespace = name.includes('/') ? (name.split('/')[0] ?? '') : ''
  const asked = { group: groups.join('.'), version: 'v1', resource, subresource, namespace, name: name.split('/').at(-1) ?? '' }
  return (await authorize({ user, verb, path: '', resource: fieldSelector ? { ...asked, fieldSelector } : asked })).allowed
}

describe('a node may', () => {
  it.each([
    ['get', 'secrets ns/s'],
    ['watch', 'secrets ns/s'],
    ['list', 'configmaps ns/c'],
    ['get', 'persistentvolumeclaims ns/v'],
    ['get', 'persistentvolumes pv'],
    ['create', 'serviceaccounts/token ns/a'],
    ['get', 'pods ns/mine'],
    ['delete', 'pods ns/mine'],
    ['patch', 'pods/status ns/mine'],
    ['create', 'pods/eviction ns/mine'],
    ['create', 'nodes'],
    ['update', 'nodes moth'],
    ['patch', 'nodes/status moth'],
    ['watch', 'nodes'],
    ['list', 'services'],
    ['watch', 'endpointslices.discovery.k8s.io'],
    ['update', 'leases.coordination.k8s.io kube-node-lease/moth'],
    ['create', 'events ns/'],
    ['create', 'certificatesigningrequests.certificates.k8s.io'],
  ])('%s %s', async (verb, what) => {
    expect(await may(verb, what)).toBe(true)
  })

  it('list and watch pods by its own name only', async () => {
    expect(await may('list', 'pods', 'spec.nodeName=moth')).toBe(true)
    expect(await may('watch', 'pods', 'status.phase!=Failed,spec.nodeName=moth')).toBe(true)
    for (const selector of [undefined, 'spec.nodeName=wasp', 'spec.nodeName!=moth', 'metadata.namespace=ns'])
      expect(await may('list', 'pods', selector)).toBe(false)
  })
})

describe('a node may not', () => {
  it.each([
    ['get', 'secrets ns/other'],
    ['get', 'secrets elsewhere/s'],
    ['list', 'secrets'],
    ['list', 'secrets ns/'],
    ['update', 'secrets ns/s'],
    ['create', 'secrets ns/s'],
    ['get', 'persistentvolumes other'],
    ['create', 'serviceaccounts/token ns/b'],
    ['create', 'serviceaccounts ns/a'],
    ['get', 'pods ns/theirs'],
    ['delete', 'pods ns/theirs'],
    ['patch', 'pods ns/mine'],
    ['update', 'pods/ephemeralcontainers ns/mine'],
    ['create', 'pods/exec ns/mine'],
    ['patch', 'pods/status ns/theirs'],
    ['update', 'nodes wasp'],
    ['delete', 'nodes moth'],
    ['get', 'nodes/proxy moth'],
    ['update', 'leases.coordination.k8s.io kube-node-lease/wasp'],
    ['update', 'leases.coordination.k8s.io kube-system/moth'],
    ['update', 'certificatesigningrequests/approval.certificates.k8s.io x'],
    ['get', 'clusterroles.rbac.authorization.k8s.io'],
    ['update', 'services ns/x'],
  ])('%s %s', async (verb, what) => {
    expect(await may(verb, what)).toBe(false)
  })

  it('be someone who has only its name, or only its group', async () => {
    expect(await may('list', 'services', undefined, { name: 'system:node:moth', groups: [] })).toBe(false)
    expect(await may('list', 'services', undefined, { name: 'moth', groups: ['system:nodes'] })).toBe(false)
  })
})

describe('what a node writes', () => {
  const meta = (name: string, more: object = {}) => ({
    name,
    uid: 'u',
    resourceVersion: '1',
    creationTimestamp: '2026-01-01T00:00:00Z',
    ...more,
  })
  const node = (labels: Record<string, string>, taints: object[] = []) => ({
    kind: 'Node',
    apiVersion: 'v1',
    metadata: meta('moth', { labels }),
    spec: { taints },
  })
  const pod = (nodeName: string, labels: Record<string, string> = {}) => ({
    kind: 'Pod',
    apiVersion: 'v1',
    metadata: meta('p', { namespace: 'ns', labels }),
    spec: { nodeName },
  })
  const check = nodeRestriction(REFERENCES)
  const write = (
    kind: AnyKind,
    operation: AdmissionRequest['operation'],
    object: object | null,
    old: object | null,
    more: Partial<AdmissionRequest> = {},
  ) => {
    const name = ((object ?? old) as KubeObject).metadata.name
    return check({
      operation,
      kind,
      subresource: '',
      namespace: '',
      name,
      object: object as KubeObject,
      old: old as KubeObject,
      user: MOTH,
      signal: new AbortController().signal,
      ...more,
    })
  }
  const refused = { reason: 'Forbidden' }

  it('is its own Node, without taints changed and without labels that are others to give', async () => {
    await write(
      nodeKind,
      'CREATE',
      node({ 'kubernetes.io/hostname': 'moth', mine: 'x', 'node.kubernetes.io/x': 'y' }, [{ key: 'a' }]),
      null,
    )
    await write(nodeKind, 'UPDATE', node({ mine: 'y' }), node({ mine: 'x' }))
    await expect(write(nodeKind, 'UPDATE', node({}, []), node({}, [{ key: 'a' }]))).rejects.toMatchObject(refused)
    for (const label of [
      'node-restriction.kubernetes.io/a',
      'x.node-restriction.kubernetes.io/a',
      'node-role.kubernetes.io/control-plane',
      'k8s.io/a',
    ])
      await expect(write(nodeKind, 'CREATE', node({ [label]: '' }), null), label).rejects.toMatchObject(refused)
    await write(nodeKind, 'UPDATE', node({ 'node-role.kubernetes.io/a': '' }), node({ 'node-role.kubernetes.io/a': '' }))
    await expect(write(nodeKind, 'UPDATE', node({}), node({ 'node-role.kubernetes.io/a': '' }))).rejects.toMatchObject(refused)
    await expect(write(nodeKind, 'CREATE', { ...node({}), metadata: meta('wasp') }, null)).rejects.toMatchObject(refused)
    const owned = { ...node({}), metadata: meta('moth', { ownerReferences: [{ apiVersion: 'v1', kind: 'Pod', name: 'p', uid: 'u' }] }) }
    await expect(write(nodeKind, 'UPDATE', owned, node({}))).rejects.toMatchObject(refused)
  })

  it('is the status and the end of its own pods, never a pod', async () => {
    await write(podKind, 'UPDATE', pod('moth'), pod('moth'), { subresource: 'status' })
    await write(podKind, 'DELETE', null, pod('moth'))
    await expect(write(podKind, 'CREATE', pod('moth'), null)).rejects.toMatchObject(refused)
    await expect(write(podKind, 'DELETE', null, pod('wasp'))).rejects.toMatchObject(refused)
    await expect(write(podKind, 'UPDATE', pod('moth', { a: 'b' }), pod('moth'), { subresource: 'status' })).rejects.toMatchObject(refused)
  })

  it('is its own Lease', async () => {
    await write(lease, 'CREATE', { metadata: meta('moth') }, null)
    await expect(write(lease, 'CREATE', { metadata: meta('wasp') }, null)).rejects.toMatchObject(refused)
  })

  it('is tokens that are bound to its own pods', async () => {
    const request = (ref?: object) => ({ kind: 'TokenRequest', metadata: meta('a'), spec: ref ? { boundObjectRef: ref } : {} })
    const ask = (ref?: object) => write(serviceAccount, 'CREATE', request(ref), null, { subresource: 'token', namespace: 'ns' })
    await ask({ kind: 'Pod', apiVersion: 'v1', name: 'mine', uid: 'u' })
    for (const ref of [
      undefined,
      { kind: 'Pod', apiVersion: 'v1', name: 'theirs', uid: 'u' },
      { kind: 'Pod', apiVersion: 'v1', name: 'mine' },
      { kind: 'Secret', apiVersion: 'v1', name: 'mine', uid: 'u' },
    ])
      await expect(ask(ref)).rejects.toMatchObject(refused)
  })

  it('of others is not looked at', async () => {
    await write(podKind, 'CREATE', pod('wasp'), null, { user: { name: 'jane', groups: [] } })
  })
})
