import { describe, expect, it } from 'vitest'
import type { KubeObject } from '../../../../electron/api/meta/v1/object.ts'
import { StatusFailure } from '../../face/failure.ts'
import type { ApiCall } from '../../kube/api.ts'
import { CONFIG_MAPS } from '../../kube/resources.ts'
import { useYamlEdit } from './yaml-edit.ts'

type ConfigMap = KubeObject & { data: Record<string, string> }

/** One object with optimistic locking, as the API server keeps it. */
function server(data: Record<string, string>) {
  let version = 1
  let object: ConfigMap = make(data)
  function make(next: Record<string, string>): ConfigMap {
    return {
      apiVersion: 'v1',
      kind: 'ConfigMap',
      metadata: { name: 'flags', namespace: 'shop', uid: 'u', resourceVersion: String(version), creationTimestamp: '2026-11-21T00:00:00Z' },
      data: next,
    }
  }
  return {
    get: () => object,
    /** Someone else writes. */
    write(next: Record<string, string>) {
      version++
      object = make(next)
    },
    async request(call: ApiCall): Promise<{ body: KubeObject; warnings: readonly string[] }> {
      if (call.method === 'GET') return { body: object, warnings: [] }
      const sent = call.body as ConfigMap
      if (sent.metadata.resourceVersion !== object.metadata.resourceVersion)
        throw new StatusFailure(409, { kind: 'Status', reason: 'Conflict', message: 'the object has been modified' })
      if (sent.data['bad']) {
        const causes = [{ field: 'data.bad', message: 'Forbidden' }]
        throw new StatusFailure(422, { kind: 'Status', reason: 'Invalid', message: 'is invalid', details: { causes } })
      }
      if (!call.query?.['dryRun']) this.write(sent.data)
      return { body: object, warnings: [] }
    },
  }
}

function edit(data: Record<string, string>) {
  const api = server(data)
  const it_ = useYamlEdit({ at: () => ({ resource: CONFIG_MAPS, namespace: 'shop', name: 'flags' }), request: (call) => api.request(call) })
  it_.load(api.get())
  return { api, edit: it_ }
}

describe('editing an object', () => {
  it('saves, and starts anew from what the server made of it', async () => {
    const { api, edit: e } = edit({ a: '1' })
    e.text.value = e.text.value.replace('a: "1"', 'a: "2"')
    expect(e.dirty.value).toBe(true)
    expect(await e.save()).toBe(true)
    expect([api.get().data, e.dirty.value]).toEqual([{ a: '2' }, false])
  })

  it('goes on top of what someone else wrote meanwhile', async () => {
    const { api, edit: e } = edit({ a: '1', b: '1' })
    api.write({ a: '1', b: '9' })
    e.text.value = e.text.value.replace('a: "1"', 'a: "2"')
    expect(await e.save()).toBe(true)
    expect(api.get().data).toEqual({ a: '2', b: '9' })
  })

  it('asks where both changed the same, and keeps the edit', async () => {
    const { api, edit: e } = edit({ a: '1' })
    api.write({ a: '9' })
    e.text.value = e.text.value.replace('a: "1"', 'a: "2"')
    expect(await e.save()).toBe(false)
    expect(e.conflicts.value).toEqual(['data.a'])
    expect(e.text.value).toContain('a: "2"')
    expect(await e.save({ mineWins: true })).toBe(true)
    expect(api.get().data).toEqual({ a: '2' })
  })

  it('changes nothing when it only checks', async () => {
    const { api, edit: e } = edit({ a: '1' })
    e.text.value = e.text.value.replace('a: "1"', 'a: "2"')
    expect(await e.save({ dryRun: true })).toBe(true)
    expect([api.get().data, e.dirty.value]).toEqual([{ a: '1' }, true])
  })

  it('puts the error of a field at its line until the text changes', async () => {
    const { edit: e } = edit({ a: '1' })
    e.text.value = `${e.text.value}  bad: "x"\n`
    expect(await e.save()).toBe(false)
    const line = e.text.value.split('\n').indexOf('  bad: "x"') + 1
    expect(e.problems.value).toMatchObject([{ line, message: 'data.bad: Forbidden' }])
    e.text.value = `${e.text.value}# more\n`
    expect(e.problems.value).toEqual([])
  })

  it('sends nothing that cannot be read', async () => {
    const { edit: e } = edit({ a: '1' })
    e.text.value = 'a: [1'
    expect(await e.save()).toBe(false)
    expect(e.problems.value.length).toBeGreaterThan(0)
  })
})
