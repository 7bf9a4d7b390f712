import { describe, expect, it } from 'vitest'
import { MANDATORY_LEVELS, MANDATORY_SCHEMAS, SUGGESTED_LEVELS, SUGGESTED_SCHEMAS } from '../../api/flowcontrol/v1/defaults.ts'
import { flowSchema } from '../../api/flowcontrol/v1/flow-schema.ts'
import { priorityLevelConfiguration } from '../../api/flowcontrol/v1/priority-level-configuration.ts'
import { created } from '../../api/testing/rules.ts'
import { FakeClock } from '../../base/fake-clock.ts'
import { requestInfo } from '../request-info.ts'
import { Levels } from './levels.ts'
import { seatsOf } from './seats.ts'

const levels = () => new Levels({ clock: new FakeClock(), seats: 600, patience: 1000 })
const info = (method: string, target: string) => {
  const [path = '', query] = target.split('?')
  return requestInfo(method, path, new URLSearchParams(query))
}

describe('by default', () => {
  const node = { name: 'system:node:a', groups: ['system:nodes', 'system:authenticated'] }
  const account = (namespace: string) => ({
    name: `system:serviceaccount:${namespace}:app`,
    groups: ['system:serviceaccounts', `system:serviceaccounts:${namespace}`, 'system:authenticated'],
  })
  const ada = { name: 'ada', groups: ['system:authenticated'] }
  const manager = { name: 'system:kube-controller-manager', groups: ['system:authenticated'] }
  const LEASE = '/apis/coordination.k8s.io/v1/namespaces/kube-system/leases/l'

  it.each([
    [{ name: 'root', groups: ['system:masters', 'system:authenticated'] }, 'GET', '/api/v1/pods', 'exempt', ''],
    [{ name: 'system:anonymous', groups: ['system:unauthenticated'] }, 'GET', '/readyz', 'probes', ''],
    [{ name: 'system:anonymous', groups: ['system:unauthenticated'] }, 'GET', '/readyz/etcd', 'global-default', 'system:anonymous'],
    [manager, 'PUT', LEASE, 'system-leader-election', manager.name],
    [manager, 'PUT', '/api/v1/namespaces/a/endpoints/e', 'endpoint-controller', manager.name],
    [manager, 'GET', '/api/v1/namespaces/a/pods', 'kube-controller-manager', 'a'],
    [account('kube-system'), 'PUT', '/api/v1/namespaces/a/configmaps/c', 'workload-leader-election', account('kube-system').name],
    [account('kube-system'), 'GET', '/api/v1/namespaces/a/pods', 'kube-system-service-accounts', 'a'],
    [account('shop'), 'PUT', LEASE, 'service-accounts', account('shop').name],
    [node, 'PATCH', '/api/v1/nodes/a/status', 'system-node-high', node.name],
    [node, 'PUT', '/apis/coordination.k8s.io/v1/namespaces/kube-node-lease/leases/a', 'system-node-high', node.name],
    [node, 'GET', '/api/v1/pods', 'system-nodes', node.name],
    [ada, 'GET', '/api/v1/pods', 'global-default', 'ada'],
    [ada, 'GET', '/metrics', 'global-default', 'ada'],
  ])('%o, %s %s goes by %s as %j', (user, method, target, schema, distinguisher) => {
    const { classifier } = levels()
    const flow = classifier.flowOf(user, info(method, target))
    expect([flow.lane.schema.metadata.name, flow.distinguisher]).toEqual([schema, distinguisher])
    expect(classifier.flowOf({ ...user }, info(method, target))).toBe(flow)
  })

  it('a user who has got other groups is looked at anew', () => {
    const { classifier } = levels()
    classifier.flowOf(ada, info('GET', '/api/v1/pods'))
    const flow = classifier.flowOf({ name: 'ada', groups: ['system:masters'] }, info('GET', '/api/v1/pods'))
    expect(flow.lane.schema.metadata.name).toBe('exempt')
  })

  it('the objects are such as the API server takes, and change nothing of', () => {
    for (const given of [...MANDATORY_SCHEMAS, ...SUGGESTED_SCHEMAS]) {
      const { object, errors } = created(flowSchema, given as never)
      expect([errors, object.spec]).toEqual([[], given.spec])
    }
    for (const given of [...MANDATORY_LEVELS, ...SUGGESTED_LEVELS]) {
      const { object, errors } = created(priorityLevelConfiguration, given as never)
      expect([errors, object.spec]).toEqual([[], given.spec])
    }
  })

  it('each level has its part of the seats', () => {
    expect(Object.fromEntries(levels().all.map(({ name, limits }) => [name, limits.nominal]))).toEqual({
      ...{ 'catch-all': 13, exempt: 0, 'global-default': 49, 'leader-election': 25, 'node-high': 98 },
      ...{ system: 74, 'workload-high': 98, 'workload-low': 245 },
    })
  })

  it('a level that needs more borrows after a while, and gives back', () => {
    const all = levels()
    const level = all.all.find(({ name }) => name === 'global-default')
    level?.demand.set(200, 0)
    all.rebalance(10_000)
    expect(level?.current).toBeGreaterThanOrEqual(200)
    expect(all.all.every(({ current, limits }) => current >= limits.min)).toBe(true)
    level?.demand.set(0, 10_000)
    for (let i = 2; i < 400; i++) all.rebalance(i * 10_000)
    expect(level?.current).toBe(49)
  })
})

describe('a request', () => {
  const width = (method: string, target: string, stored: number, nominal = 100) => {
    const [, query] = target.split('?')
    return seatsOf({ query: new URLSearchParams(query) }, info(method, target), nominal, () => stored)
  }
  it.each([
    ['GET', '/api/v1/pods', 50, 1],
    ['GET', '/api/v1/pods', 950, 10],
    ['GET', '/api/v1/pods', 100_000, 10],
    ['GET', '/api/v1/pods?limit=250', 100_000, 3],
    ['GET', '/api/v1/pods?fieldSelector=metadata.name%3Dp', 100_000, 1],
    ['GET', '/api/v1/namespaces/a/pods/p', 100_000, 1],
    ['GET', '/api/v1/pods?watch=1', 100_000, 1],
    ['GET', '/api/v1/pods?watch=1&sendInitialEvents=true', 500, 5],
    ['POST', '/api/v1/namespaces/a/pods', 100_000, 1],
  ])('%s %s among %i objects takes %i seats', (method, target, stored, seats) => {
    expect(width(method, target, stored)).toBe(seats)
  })

  it('takes no more than a small part of its level', () => {
    expect(width('GET', '/api/v1/pods', 100_000, 13)).toBe(2)
  })
})
