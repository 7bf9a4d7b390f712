import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { type Host, startHost } from './host/start-host.ts'
import { brokenBody } from './generate/bodies.ts'
import { Dice } from './generate/dice.ts'
import { judge } from './oracle/status.ts'
import { fuzz } from './run/driver.ts'
import type { Answer, FuzzRequest } from './transport/connection.ts'

/** The long form is `npm run fuzz`. */
const REQUESTS = 400

describe('random requests', () => {
  let host: Host
  beforeAll(async () => {
    host = await startHost()
  })
  afterAll(() => host[Symbol.asyncDispose]())

  it('are each answered as an API server answers, and leave nothing behind', async () => {
    const result = await fuzz(host, { seed: 1, requests: REQUESTS, atOnce: 4, stretch: REQUESTS })
    expect(result.findings).toEqual([])
    expect(result.requests).toBeGreaterThanOrEqual(REQUESTS)
    // What is refused proves nothing where nothing is taken.
    expect(result.statuses.get(201) ?? 0).toBeGreaterThan(REQUESTS / 40)
    expect(result.statuses.get(200) ?? 0).toBeGreaterThan(REQUESTS / 10)
  })
})

describe('a seed', () => {
  it('gives the same bodies again, and another gives others', () => {
    const bodies = (seed: number) => Array.from({ length: 40 }, (_, i) => brokenBody(new Dice(seed, i), { a: 1 }).bytes.toString('base64'))
    expect(bodies(1)).toEqual(bodies(1))
    expect(bodies(1)).not.toEqual(bodies(2))
  })
})

describe('the judge', () => {
  const request: FuzzRequest = { method: 'GET', target: '/api/v1/pods', headers: {}, body: null, via: 'http1' }
  const answer = (status: number, body: unknown, type = 'application/json'): Answer => ({
    status,
    headers: { 'content-type': type },
    body: Buffer.from(typeof body === 'string' ? body : JSON.stringify(body)),
    cut: false,
  })
  const status = (code: number, reason: string, message = 'm') => ({
    kind: 'Status',
    apiVersion: 'v1',
    status: 'Failure',
    reason,
    message,
    code,
  })

  it.each([
    ['a fault that is the server’s own', answer(500, status(500, 'InternalError')), 'http-500'],
    ['a reason of another code', answer(404, status(404, 'Conflict')), 'error-status'],
    ['a code of another answer', answer(404, status(400, 'BadRequest')), 'error-status'],
    ['an error that is no Status', answer(422, { a: 1 }), 'error-status'],
    ['an error in HTML', answer(422, '<p>', 'text/html'), 'error-type'],
    ['a message with the program’s insides', answer(400, status(400, 'BadRequest', "Cannot read properties of 'x'")), 'error-leaks'],
    ['success that is no JSON', answer(200, '{"a":'), 'success-json'],
  ])('finds %s', (_, given, rule) => {
    expect(judge(request, given)?.rule).toBe(rule)
  })

  it.each([
    ['a Status', answer(404, status(404, 'NotFound'))],
    [
      'a fault that Kubernetes has too',
      answer(500, status(500, 'InternalError', 'resourceVersion should not be set on objects to be created')),
    ],
    ['a watch, an event a line', answer(200, '{"type":"ADDED"}\n{"type":"BOOKMARK"}\n')],
  ])('lets %s pass', (_, given) => {
    expect(judge(request, given)).toBeNull()
  })
})
