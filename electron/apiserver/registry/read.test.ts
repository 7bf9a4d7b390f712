import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { settle } from '../../base/fake-clock.ts'
import { configMap, namespace, pod } from '../../api/kinds.gen.ts'
import { startTestServer, type TestServer } from '../testing/harness.ts'
import { send } from '../testing/raw.ts'

let test: TestServer
beforeEach(async () => {
  test = await startTestServer()
})
afterEach(() => test.stop())

const at = '/api/v1/namespaces/default/configmaps'
const make = (name: string, labels: Record<string, string> = {}, ns = 'default') =>
  test.client.create(configMap, { metadata: { name, namespace: ns, labels } })
const namesOf = (json: Record<string, unknown>) => (json['items'] as { metadata: { name: string } }[]).map((o) => o.metadata.name)

describe('get', () => {
  it('shows the last acknowledged write', async () => {
    const made = await make('a')
    const { json } = await send(test.client, 'GET', `${at}/a`)
    expect(json).toEqual(JSON.parse(JSON.stringify(made)))
  })

  it('with a resourceVersion waits for it', async () => {
    const made = await make('a')
    const next = String(Number(made.metadata.resourceVersion) + 1)
    const coming = test.client.get(configMap, made.metadata, { resourceVersion: next })
    await settle()
    await make('b')
    expect((await coming).metadata.name).toBe('a')
  })
})

describe('list', () => {
  it('has the kind, the version and the items of upstream', async () => {
    await make('b')
    const last = await make('a')
    const { status, json, headers } = await send(test.client, 'GET', at)
    expect(status).toBe(200)
    expect(headers['content-type']).toBe('application/json')
    expect({ ...json, items: namesOf(json) }).toEqual({
      kind: 'ConfigMapList',
      apiVersion: 'v1',
      metadata: { resourceVersion: last.metadata.resourceVersion },
      items: ['a', 'b'],
    })
    expect((await send(test.client, 'GET', '/api/v1/secrets')).json).toMatchObject({ kind: 'SecretList', items: [] })
  })

  it('selects by labels and fields', async () => {
    await make('a', { x: '1' })
    await make('b', { x: '2' })
    await make('a', {}, 'kube-system')
    expect(namesOf((await send(test.client, 'GET', `${at}?labelSelector=x+in+(1,3)`)).json)).toEqual(['a'])
    expect(namesOf((await send(test.client, 'GET', `${at}?fieldSelector=metadata.name%3Db`)).json)).toEqual(['b'])
    expect(namesOf((await send(test.client, 'GET', '/api/v1/configmaps?fieldSelector=metadata.name%3Da')).json)).toEqual(['a', 'a'])
    expect(namesOf((await send(test.client, 'GET', '/api/v1/configmaps?fieldSelector=metadata.namespace!%3Ddefault')).json)).toEqual(['a'])
    const nodeless = { spec: { containers: [{ name: 'c', image: 'i' }] } }
    await test.client.create(pod, { metadata: { name: 'p', namespace: 'default' }, ...nodeless })
    expect((await test.client.list(pod, { fieldSelector: 'spec.nodeName=' })).items).toHaveLength(1)
    expect((await test.client.list(pod, { fieldSelector: 'spec.nodeName=n' })).items).toHaveLength(0)
    const bad = await send(test.client, 'GET', '/api/v1/pods?fieldSelector=spec.color%3Dred')
    expect([bad.status, bad.json['message']]).toEqual([400, 'field label not supported: spec.color'])
  })

  it('of one name is found under every rule', async () => {
    await make('a')
    const query = `${at}?fieldSelector=metadata.name%3Da`
    const rv = ((await send(test.client, 'GET', query)).json['metadata'] as { resourceVersion: string }).resourceVersion
    await make('c')
    for (const more of [
      '',
      '&resourceVersion=0',
      `&resourceVersion=${rv}`,
      '&limit=1',
      `&resourceVersion=${rv}&resourceVersionMatch=Exact`,
    ]) {
      expect(namesOf((await send(test.client, 'GET', query + more)).json)).toEqual(['a'])
    }
  })

  it('goes on where the last chunk ended', async () => {
    for (const name of ['a', 'b', 'c']) await make(name)
    const first = await send(test.client, 'GET', `${at}?limit=2`)
    const { continue: token, remainingItemCount } = first.json['metadata'] as { continue: string; remainingItemCount: number }
    expect([namesOf(first.json), remainingItemCount]).toEqual([['a', 'b'], 1])
    expect(namesOf((await send(test.client, 'GET', `${at}?limit=2&continue=${token}`)).json)).toEqual(['c'])
  })

  it.each([
    ['resourceVersionMatch=Exact', 'resourceVersionMatch: Forbidden: resourceVersionMatch is forbidden unless resourceVersion is provided'],
    [
      'resourceVersionMatch=Exact&resourceVersion=0',
      'resourceVersionMatch: Forbidden: resourceVersionMatch "exact" is forbidden for resourceVersion "0"',
    ],
    [
      'resourceVersionMatch=Best&resourceVersion=1',
      'resourceVersionMatch: Unsupported value: "Best": supported values: "Exact", "NotOlderThan", ""',
    ],
    ['sendInitialEvents=true', 'sendInitialEvents: Forbidden: sendInitialEvents is forbidden for list'],
    [
      'watch=1&sendInitialEvents=true',
      'resourceVersionMatch: Forbidden: sendInitialEvents requires setting resourceVersionMatch to NotOlderThan',
    ],
    [
      'watch=1&resourceVersionMatch=NotOlderThan',
      'resourceVersionMatch: Forbidden: resourceVersionMatch is forbidden for watch unless sendInitialEvents is provided',
    ],
  ])('refuses %s', async (query, why) => {
    const { status, json } = await send(test.client, 'GET', `${at}?${query}`)
    expect([status, json['message']]).toEqual([422, `ListOptions.meta.k8s.io "" is invalid: ${why}`])
  })

  it('refuses a limit that is no number', async () => {
    expect((await send(test.client, 'GET', `${at}?limit=many`)).json).toMatchObject({
      code: 400,
      message: 'strconv.ParseInt: parsing "many": invalid syntax',
    })
  })
})

describe('watch', () => {
  const lines = async (target: string, until: (seen: Record<string, unknown>[]) => boolean) => {
    const url = new URL(target, 'http://x')
    const response = await test.client.request({ method: 'GET', path: url.pathname, query: Object.fromEntries(url.searchParams) })
    expect(response.status).toBe(200)
    const seen: Record<string, unknown>[] = []
    let rest = ''
    for await (const chunk of response.body) {
      rest += Buffer.from(chunk).toString('utf8')
      const parts = rest.split('\n')
      rest = parts.pop() ?? ''
      seen.push(...parts.map((line) => JSON.parse(line) as Record<string, unknown>))
      if (until(seen)) break
    }
    return seen
  }
  const short = (event: Record<string, unknown>) =>
    `${String(event['type'])} ${(event['object'] as { metadata: { name?: string } }).metadata.name ?? ''}`.trim()

  it('without resourceVersion begins with what is there', async () => {
    await make('a')
    await make('b')
    const seen = await lines(`${at}?watch=true`, (s) => s.length === 2)
    expect(seen.map(short)).toEqual(['ADDED a', 'ADDED b'])
    expect(seen[0]?.['object']).toMatchObject({ kind: 'ConfigMap', apiVersion: 'v1', metadata: { name: 'a' } })
  })

  it('marks the end of the initial events', async () => {
    const { metadata } = await make('a')
    const query = 'watch=1&sendInitialEvents=true&resourceVersionMatch=NotOlderThan&allowWatchBookmarks=true'
    const seen = await lines(`${at}?${query}`, (s) => s.length === 2)
    expect(seen.map(short)).toEqual(['ADDED a', 'BOOKMARK'])
    expect(seen[1]?.['object']).toEqual({
      kind: 'ConfigMap',
      apiVersion: 'v1',
      metadata: { resourceVersion: metadata.resourceVersion, annotations: { 'k8s.io/initial-events-end': 'true' } },
    })
  })

  it('from a forgotten revision says 410 and ends', async () => {
    await make('a')
    const seen = await lines(`${at}?watch=1&resourceVersion=1`, () => false)
    expect(seen).toEqual([
      {
        type: 'ERROR',
        object: {
          kind: 'Status',
          apiVersion: 'v1',
          metadata: {},
          status: 'Failure',
          message: expect.stringMatching(/^too old resource version: 1 \(\d+\)$/) as string,
          reason: 'Expired',
          code: 410,
        },
      },
    ])
  })

  it('ends after timeoutSeconds', async () => {
    const done = lines(`${at}?watch=1&timeoutSeconds=3&allowWatchBookmarks=true`, () => false)
    await settle()
    await test.clock.advance(3000)
    expect((await done).map(short)).toEqual(['BOOKMARK'])
  })

  it('of the old path watches one object', async () => {
    await make('a')
    await make('b')
    expect((await lines('/api/v1/watch/namespaces/default/configmaps/b', (s) => s.length === 1)).map(short)).toEqual(['ADDED b'])
  })

  it('follows labels in and out', async () => {
    const made = await make('a', { x: '1' })
    const events: string[] = []
    const done = (async () => {
      const options = { namespace: 'default', labelSelector: 'x=1', resourceVersion: made.metadata.resourceVersion }
      for await (const { type } of test.client.watch(configMap, options)) {
        events.push(type)
        if (events.length === 3) return
      }
    })()
    let now = made
    for (const x of ['2', '1', '1']) {
      now = await test.client.update(configMap, {
        ...now,
        metadata: { ...now.metadata, labels: { x } },
        data: { n: String(events.length) + x },
      })
      await settle()
    }
    await done
    expect(events).toEqual(['DELETED', 'ADDED', 'MODIFIED'])
  })

  it('ends in this process when its signal aborts, and gives back what it took', async () => {
    const stop = new AbortController()
    const watching = (async () => {
      for await (const _event of test.client.watch(namespace, { signal: stop.signal })) void 0
    })()
    await settle()
    const pending = test.clock.pending
    stop.abort(new Error('enough'))
    await expect(watching).rejects.toThrow('enough')
    expect(test.clock.pending).toBeLessThan(pending)
  })
})
