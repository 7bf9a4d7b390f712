import { once } from 'node:events'
import { connect, createServer, type AddressInfo, type Socket } from 'node:net'
import { join } from 'node:path'
import type { TLSSocket } from 'node:tls'
import { describe, expect, it } from 'vitest'
import { pod } from '../api/core/v1/pod.ts'
import { createPki } from '../apiserver/pki/pki.ts'
import { systemClock } from '../base/clock.ts'
import { FakeClock, settle } from '../base/fake-clock.ts'
import { silentLogger } from '../base/logger.ts'
import { systemRandom } from '../base/random.ts'
import { json, status, thing, things, useServer } from './testing/scripted-server.ts'

const t = useServer()

describe('typed calls', () => {
  it('spell paths, queries and bodies as Kubernetes does, over one connection', async () => {
    const seen: string[] = []
    t.handler = (request, response, body) => {
      seen.push(`${request.method} ${request.url} ${request.headers['content-type'] ?? ''} ${body}`.trim())
      if (request.method === 'GET' && !request.url.includes('/things/'))
        json(response, 200, JSON.stringify({ metadata: { resourceVersion: '9' }, items: [{ metadata: { name: 'a' } }] }))
      else if (request.method === 'DELETE') json(response, 200, status(200, 'x'))
      else json(response, 200, JSON.stringify(thing('a')))
    }
    const c = t.client()
    const at = { namespace: 'default', name: 'a' }
    await c.get(things, at)
    const list = await c.list(things, { labelSelector: 'a in (b,c)', limit: 5 })
    await c.create(things, { metadata: { name: 'a', namespace: 'default' }, spec: { size: 2 } }, { dryRun: true, fieldManager: 'me' })
    await c.update(things, thing('a'), { subresource: 'status' })
    await c.patch(things, at, { type: 'apply', body: { a: 1 }, force: true }, { fieldManager: 'me' })
    await c.patch(things, at, { type: 'json', body: [] })
    expect(await c.delete(things, at, { gracePeriodSeconds: 0 })).toBeNull()
    await c.deleteCollection(things, { namespace: 'default', labelSelector: 'x=y' })
    expect(list.items[0]).toMatchObject({ apiVersion: 'test.example/v1', kind: 'Thing', metadata: { name: 'a' } })
    const root = '/apis/test.example/v1/namespaces/default/things'
    const whole = JSON.stringify(thing('a'))
    expect(seen).toEqual([
      `GET ${root}/a`,
      'GET /apis/test.example/v1/things?labelSelector=a+in+%28b%2Cc%29&limit=5',
      `POST ${root}?fieldManager=me&dryRun=All application/json {"apiVersion":"test.example/v1","kind":"Thing","metadata":{"name":"a","namespace":"default"},"spec":{"size":2}}`,
      `PUT ${root}/a/status application/json ${whole}`,
      `PATCH ${root}/a?fieldManager=me&force=true application/apply-patch+yaml {"a":1}`,
      `PATCH ${root}/a application/json-patch+json []`,
      `DELETE ${root}/a application/json {"gracePeriodSeconds":0,"apiVersion":"v1","kind":"DeleteOptions"}`,
      `DELETE ${root}?labelSelector=x%3Dy`,
    ])
    expect(t.connections).toBe(1)
  })

  it('hand out frozen objects', async () => {
    t.handler = (_request, response) => json(response, 200, JSON.stringify(thing('a')))
    const object = await t.client().get(things, { namespace: 'default', name: 'a' })
    expect(() => {
      if (object.spec) object.spec.size = 2
    }).toThrow(TypeError)
  })

  it('hand out objects with the defaults of their schema, and what they do not know as it is', async () => {
    t.handler = (_request, response) =>
      json(
        response,
        200,
        JSON.stringify({ kind: 'Pod', metadata: { name: 'p' }, spec: { containers: [{ name: 'c', ports: [{ containerPort: 1 }] }] } }),
      )
    const c = t.client()
    const object = await c.get(pod, { namespace: 'default', name: 'p' })
    expect([object.status, object.spec.containers[0]?.ports?.[0]?.protocol]).toEqual([{}, 'TCP'])
    t.handler = (_request, response) => json(response, 200, JSON.stringify({ kind: 'Scale', spec: { replicas: 2 } }))
    expect(await c.get(pod, { namespace: 'default', name: 'p' }, { subresource: 'scale' })).toEqual({
      kind: 'Scale',
      spec: { replicas: 2 },
    })
  })

  it("throw the server's Status, and make one of an answer without", async () => {
    t.handler = (_request, response) => json(response, 404, status(404, 'NotFound', 'things "a" not found'))
    const c = t.client()
    await expect(c.get(things, { namespace: 'default', name: 'a' })).rejects.toMatchObject({
      reason: 'NotFound',
      message: 'things "a" not found',
    })
    t.handler = (_request, response) => json(response, 502, 'bad gateway')
    await expect(c.get(things, { namespace: 'default', name: 'a' })).rejects.toMatchObject({
      code: 502,
      message: expect.stringContaining('bad gateway') as string,
    })
  })

  it('refuse a namespaced object without namespace before anything is sent', async () => {
    await expect(t.client().get(things, { name: 'a' })).rejects.toMatchObject({ reason: 'BadRequest' })
    expect(t.connections).toBe(0)
  })

  it('try again after Retry-After, with the same body', async () => {
    const bodies: string[] = []
    t.handler = (_request, response, body) => {
      bodies.push(body)
      if (bodies.length < 3) json(response, 429, status(429, 'TooManyRequests'), { 'retry-after': '0' })
      else json(response, 201, JSON.stringify(thing('a')))
    }
    await t.client().create(things, thing('a'))
    expect(bodies).toEqual([bodies[0], bodies[0], bodies[0]])
    expect(bodies[0]).toContain('"size":1')
  })

  it('give up with the reason of an aborted signal, and with 503 after the time for an answer', async () => {
    t.handler = () => undefined
    const abort = new AbortController()
    const waiting = t.client().get(things, { namespace: 'default', name: 'a' }, { signal: abort.signal })
    abort.abort(new Error('enough'))
    await expect(waiting).rejects.toThrow('enough')
    await expect(t.client({ requestTimeout: 50 }).get(things, { namespace: 'default', name: 'a' })).rejects.toMatchObject({
      code: 503,
      message: expect.stringContaining('no answer within 0.05 s') as string,
    })
  })
})

describe('connections', () => {
  it('are made again after they broke; a read under way is repeated, a write is not', async () => {
    let calls = 0
    t.handler = (_request, response) => {
      if (++calls % 2 === 1) for (const socket of t.sockets) socket.destroy()
      else json(response, 200, JSON.stringify(thing('a')))
    }
    const c = t.client()
    await expect(c.get(things, { namespace: 'default', name: 'a' })).resolves.toMatchObject({ metadata: { name: 'a' } })
    expect(calls).toBe(2)
    await expect(c.create(things, thing('a'))).rejects.toMatchObject({ code: 503 })
    expect(calls).toBe(3)
    expect(t.connections).toBe(2)
  })

  it('name the server that cannot be reached, and come up when it does', async () => {
    const port = Number(new URL(t.url).port)
    t.server.close()
    await once(t.server, 'close')
    const c = t.client()
    await expect(c.get(things, { namespace: 'default', name: 'a' })).rejects.toMatchObject({
      reason: 'ServiceUnavailable',
      message: expect.stringMatching(new RegExp(`127.0.0.1:${port}.*ECONNREFUSED`)) as string,
    })
    t.server.listen(port, '127.0.0.1')
    await once(t.server, 'listening')
    t.handler = (_request, response) => json(response, 200, JSON.stringify(thing('a')))
    await c.get(things, { namespace: 'default', name: 'a' })
  })

  it('refuse a server whose certificate another authority signed, or that has another name', async () => {
    await using other = createPki({
      dir: join(t.dir, 'other'),
      clock: systemClock,
      random: systemRandom,
      logger: silentLogger,
      clusterDomain: 'x',
      serviceAddress: '10.0.0.1',
    })
    await other.start()
    await expect(t.client({ ca: other.caPem }).get(things, { namespace: 'd', name: 'a' })).rejects.toMatchObject({
      code: 503,
      message: expect.stringMatching(/certificate/) as string,
    })
    await expect(t.client({ servername: 'elsewhere.example' }).get(things, { namespace: 'd', name: 'a' })).rejects.toMatchObject({
      message: expect.stringContaining('elsewhere.example') as string,
    })
    t.handler = (_request, response) => json(response, 200, JSON.stringify(thing('a')))
    await t.client({ servername: 'kubernetes.default.svc' }).get(things, { namespace: 'default', name: 'a' })
  })

  it('say by a Status that a certificate cannot be read, and go on once it can', async () => {
    t.handler = (_request, response) => json(response, 200, JSON.stringify(thing('a')))
    let certificate = { cert: 'nonsense', key: 'nonsense' }
    const c = t.client({ identity: () => ({ certificate }) })
    await expect(c.get(things, { namespace: 'd', name: 'a' })).rejects.toMatchObject({ reason: 'ServiceUnavailable' })
    await expect(c.websocket({ path: '/x', protocols: ['a'] })).rejects.toMatchObject({ reason: 'ServiceUnavailable' })
    certificate = await t.pki.issueClient({ commonName: 'x' })
    await c.get(things, { namespace: 'd', name: 'a' })
  })

  it('carry the identity of the moment: a rotated token at once, a rotated certificate on a new connection', async () => {
    const seen: string[] = []
    t.handler = (request, response) => {
      const { socket } = request.stream.session as { socket: TLSSocket }
      const { authorization, 'impersonate-user': user } = request.headers
      seen.push(`${String(socket.getPeerCertificate().subject.CN)} ${String(authorization)} ${String(user)}`)
      json(response, 200, JSON.stringify(thing('a')))
    }
    let identity = { certificate: await t.pki.issueClient({ commonName: 'one' }), token: 't1' }
    const c = t.client({ identity: () => identity, impersonate: { user: 'jane' } })
    const get = () => c.get(things, { namespace: 'default', name: 'a' })
    await get()
    identity = { ...identity, token: 't2' }
    await get()
    identity = { certificate: await t.pki.issueClient({ commonName: 'two' }), token: 't2' }
    await get()
    expect(seen).toEqual(['one Bearer t1 jane', 'one Bearer t2 jane', 'two Bearer t2 jane'])
    expect(t.connections).toBe(2)
  })

  it('that go silent are given up, so that a watch notices', async () => {
    const clock = new FakeClock()
    t.handler = (_request, response) => {
      response.writeHead(200)
      response.write('')
    }
    const ends: Socket[] = []
    const relay = createServer((near) => {
      const far = connect(Number(new URL(t.url).port), '127.0.0.1')
      ends.push(
        near.on('data', (part) => far.write(part)),
        far.on('data', (part) => near.write(part)),
      )
    })
    relay.listen(0, '127.0.0.1')
    await once(relay, 'listening')
    const c = t.client({ clock, server: `https://127.0.0.1:${(relay.address() as AddressInfo).port}` })
    const opened = Promise.withResolvers<void>()
    const next = c.watch(things, { onOpen: opened.resolve })[Symbol.asyncIterator]().next()
    next.catch(() => undefined)
    await opened.promise
    for (const socket of ends) socket.pause()
    await clock.advance(31_000)
    await expect(next).rejects.toMatchObject({
      reason: 'ServiceUnavailable',
      message: expect.stringContaining('no sign of life') as string,
    })
    for (const socket of ends) socket.destroy()
    relay.close()
  })

  it('that were being closed when the server went out of reach hold up nobody who is done', async () => {
    t.handler = (_request, response) => json(response, 200, JSON.stringify(thing('a')))
    const ends: Socket[] = []
    const relay = createServer({ allowHalfOpen: true }, (near) => {
      const far = connect(Number(new URL(t.url).port), '127.0.0.1')
      ends.push(
        near.on('data', (part) => far.write(part)),
        far.on('data', (part) => near.write(part)),
      )
    })
    relay.listen(0, '127.0.0.1')
    await once(relay, 'listening')
    const clock = new FakeClock()
    let certificate = await t.pki.issueClient({ commonName: 'one' })
    const server = `https://127.0.0.1:${(relay.address() as AddressInfo).port}`
    const c = t.client({ clock, server, identity: () => ({ certificate }) })
    const get = () => c.get(things, { namespace: 'default', name: 'a' })
    await get()
    certificate = await t.pki.issueClient({ commonName: 'two' })
    for (const socket of ends) socket.pause()
    const abort = new AbortController()
    const second = c.get(things, { namespace: 'default', name: 'a' }, { signal: abort.signal })
    second.catch(() => undefined)
    await expect.poll(() => ends.length).toBe(4)
    abort.abort(new Error('enough'))
    let done = false
    const disposed = Promise.resolve(c[Symbol.asyncDispose]()).then(() => (done = true))
    await settle()
    expect(done).toBe(false)
    await clock.advance(2000)
    await disposed
    for (const socket of ends) socket.destroy()
    relay.close()
  })

  it('that are being made are not waited for longer than the caller wants to', async () => {
    const silent = createServer().listen(0, '127.0.0.1')
    await once(silent, 'listening')
    const c = t.client({ server: `https://127.0.0.1:${(silent.address() as AddressInfo).port}`, connectTimeout: 600_000 })
    const abort = new AbortController()
    const waiting = c.get(things, { namespace: 'default', name: 'a' }, { signal: abort.signal })
    await once(silent, 'connection')
    abort.abort(new Error('enough'))
    await expect(waiting).rejects.toThrow('enough')
    silent.close()
  })
})
