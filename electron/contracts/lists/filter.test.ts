import { describe, expect, it } from 'vitest'
import type { KubeObject } from '../../api/meta/v1/object.ts'
import { parseFilter } from './filter.ts'

const object = (name: string, namespace: string, labels: Record<string, string> = {}): KubeObject => ({
  apiVersion: 'v1',
  kind: 'Pod',
  metadata: { name, namespace, uid: name, resourceVersion: '1', creationTimestamp: '', labels },
})
const WEB = object('web-1', 'shop', { app: 'Web' })
const fits = (text: string) => parseFilter(text).fits(WEB, 'web-1 nginx:1.29')

describe('a filter', () => {
  it('wants every word, in any case', () => {
    expect([fits('WEB nginx'), fits('web redis')]).toEqual([true, false])
  })
  it('narrows by namespace and label', () => {
    expect([fits('ns:sh'), fits('ns:data'), fits('app=web'), fits('app=we'), fits('tier=web')]).toEqual([true, false, true, true, false])
  })
  it('narrows by the node that something runs on', () => {
    const pod = { ...WEB, spec: { nodeName: 'moth' } }
    const on = (text: string, object: KubeObject) => parseFilter(text).fits(object, 'web-1 moth')
    expect([on('node:mo', pod), on('node:heron', pod), on('node:mo', WEB)]).toEqual([true, false, false])
  })
  it('leaves out what follows an exclamation mark', () => {
    expect([fits('!redis'), fits('!nginx')]).toEqual([true, false])
  })
  it('fits everything when it is empty', () => {
    expect(parseFilter('  ').empty).toBe(true)
    expect(fits('')).toBe(true)
  })
})
