import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import type { Ingress } from '../../api/networking/v1/types.gen.ts'
import { ingress, ingressClass, node, pod } from '../../api/kinds.gen.ts'
import type { Draft } from '../../api/meta/v1/object.ts'
import { startTestServer, type TestServer } from '../testing/harness.ts'
import { send } from '../testing/raw.ts'

let test: TestServer
beforeEach(async () => {
  test = await startTestServer()
})
afterEach(() => test.stop())

const at = (name: string) => ({ name, namespace: 'default' })

describe('ingresses without a class', () => {
  const addClass = (name: string, isDefault = true) =>
    test.client.create(ingressClass, {
      metadata: { name, annotations: { 'ingressclass.kubernetes.io/is-default-class': String(isDefault) } },
      spec: { controller: 'example.com/front' },
    })
  const add = async (spec: Draft<Ingress['spec']> = {}, annotations = {}) => {
    const defaultBackend = { service: { name: 's', port: { number: 80 } } }
    const made = await test.client.create(ingress, { metadata: { ...at('web'), annotations }, spec: { defaultBackend, ...spec } })
    return made.spec.ingressClassName
  }

  it('get the youngest default class, and the first by name of those that are equally old', async () => {
    await addClass('a-old')
    await test.clock.advance(5000)
    await addClass('c')
    await addClass('b')
    await addClass('other', false)
    expect(await add()).toBe('b')
  })

  it('stay without where there is no default', async () => {
    await addClass('other', false)
    expect(await add()).toBeUndefined()
  })

  it('keep the class that they name, in the old way too', async () => {
    await addClass('standard')
    expect(await add({ ingressClassName: 'mine' })).toBe('mine')
    await test.client.delete(ingress, at('web'))
    expect(await add({}, { 'kubernetes.io/ingress.class': 'mine' })).toBeUndefined()
  })
})

describe('where a pod runs', () => {
  const PLACE = { 'topology.kubernetes.io/zone': 'attic', 'topology.kubernetes.io/region': 'house' }
  const labelsOf = async (name: string) => (await test.client.get(pod, at(name))).metadata.labels
  const add = (name: string, nodeName?: string) =>
    test.client.create(pod, {
      metadata: { ...at(name), labels: { app: 'x', 'topology.kubernetes.io/zone': 'elsewhere' } },
      spec: { containers: [{ name: 'c', image: 'i' }], ...(nodeName === undefined ? {} : { nodeName }) },
    })
  const bind = async (name: string, target: string) => {
    const body = { metadata: { name }, target: { kind: 'Node', name: target } }
    expect(await send(test.client, 'POST', `/api/v1/namespaces/default/pods/${name}/binding`, body)).toMatchObject({ status: 201 })
  }
  beforeEach(async () => {
    await test.client.create(node, { metadata: { name: 'moth', labels: { ...PLACE, other: 'label' } } })
    await test.client.create(node, { metadata: { name: 'plain' } })
  })

  it('is told in its labels when it is bound', async () => {
    await add('p')
    await bind('p', 'moth')
    expect(await labelsOf('p')).toEqual({ app: 'x', ...PLACE })
  })

  it('is told at once where it comes with its node', async () => {
    await add('p', 'moth')
    expect(await labelsOf('p')).toEqual({ app: 'x', ...PLACE })
  })

  it('is not told by a node that does not know, or that is not there', async () => {
    await add('p')
    await bind('p', 'plain')
    await add('q', 'gone')
    for (const name of ['p', 'q']) expect(await labelsOf(name)).toEqual({ app: 'x', 'topology.kubernetes.io/zone': 'elsewhere' })
  })
})
