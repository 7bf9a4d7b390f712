import { describe, expect, it } from 'vitest'
import { FakeClock } from '../../base/fake-clock.ts'
import { silentLogger } from '../../base/logger.ts'
import type { Attributes } from '../types.ts'
import { authorizationConfiguration } from './authorization-configuration.ts'
import { unionAuthorizer } from './authorizers.ts'
import { fieldSelectorText, labelRequirements, labelSelectorText } from './selectors.ts'
import { compileCondition } from './webhook/match-conditions.ts'
import { webhookAuthorizer, type WebhookAuthorizerOptions } from './webhook/webhook-authorizer.ts'

const webhook = {
  timeout: '3s',
  subjectAccessReviewVersion: 'v1',
  failurePolicy: 'Deny',
  connectionInfo: { type: 'KubeConfigFile', kubeConfigFile: '/etc/hook.kubeconfig' },
}
const parsed = (...authorizers: object[]) =>
  authorizationConfiguration({ apiVersion: 'apiserver.config.k8s.io/v1', kind: 'AuthorizationConfiguration', authorizers })
const errorsOf = (...authorizers: object[]) => parsed(...authorizers).errors.map(({ field, message }) => `${field}: ${message}`)

describe('a configuration', () => {
  it('gives the authorizers in their order, with the usual times', () => {
    const { authorizers, errors } = parsed(
      { type: 'RBAC', name: 'rbac' },
      { type: 'Webhook', name: 'hook', webhook },
      { type: 'Node', name: 'node' },
    )
    expect(errors).toEqual([])
    expect(authorizers).toEqual([
      { type: 'RBAC' },
      {
        ...{ type: 'Webhook', name: 'hook', authorizedTtl: 300_000, unauthorizedTtl: 30_000, timeout: 3000, version: 'v1' },
        ...{ failurePolicy: 'Deny', kubeConfigFile: '/etc/hook.kubeconfig', conditions: [] },
      },
      { type: 'Node' },
    ])
  })

  it('may keep nothing', () => {
    const { authorizers } = parsed({
      type: 'Webhook',
      name: 'hook',
      webhook: { ...webhook, authorizedTTL: '1m', cacheAuthorizedRequests: false, unauthorizedTTL: '1m' },
    })
    expect(authorizers[0]).toMatchObject({ authorizedTtl: 0, unauthorizedTtl: 60_000 })
  })

  it.each<[string, object, RegExp]>([
    ['another type', { type: 'AlwaysAllow', name: 'a' }, /authorizers\[0\].type: Unsupported value: "AlwaysAllow"/],
    ['no name', { type: 'RBAC' }, /name: Required value/],
    ['a name that is none', { type: 'RBAC', name: 'A' }, /name: Invalid value: "A"/],
    ['a webhook on another type', { type: 'RBAC', name: 'a', webhook }, /may only be specified when type=Webhook/],
    ['a webhook without its part', { type: 'Webhook', name: 'a' }, /required when type=Webhook/],
    ['no time', { type: 'Webhook', name: 'a', webhook: { ...webhook, timeout: undefined } }, /timeout: Required value/],
    ['too long a time', { type: 'Webhook', name: 'a', webhook: { ...webhook, timeout: '31s' } }, /must be <= 30s/],
    ['a time that is none', { type: 'Webhook', name: 'a', webhook: { ...webhook, timeout: '3' } }, /must be a duration/],
    ['another policy', { type: 'Webhook', name: 'a', webhook: { ...webhook, failurePolicy: 'Allow' } }, /failurePolicy: Unsupported value/],
    [
      'a file by its relative path',
      { type: 'Webhook', name: 'a', webhook: { ...webhook, connectionInfo: { type: 'KubeConfigFile', kubeConfigFile: 'a' } } },
      /absolute path/,
    ],
    [
      'a place in a pod',
      { type: 'Webhook', name: 'a', webhook: { ...webhook, connectionInfo: { type: 'InClusterConfig' } } },
      /connectionInfo.type: Forbidden/,
    ],
    [
      'conditions without a version',
      { type: 'Webhook', name: 'a', webhook: { ...webhook, matchConditions: [{ expression: 'true' }] } },
      /required if match conditions/,
    ],
    [
      'a condition of another type',
      {
        type: 'Webhook',
        name: 'a',
        webhook: { ...webhook, matchConditionSubjectAccessReviewVersion: 'v1', matchConditions: [{ expression: 'request.user' }] },
      },
      /matchConditions\[0\].expression: .*must evaluate to bool/,
    ],
  ])('with %s is refused', (_what, authorizer, message) => {
    expect(errorsOf(authorizer)).toEqual([expect.stringMatching(message)])
  })

  it('has each built-in one once, and at least one', () => {
    expect(errorsOf()).toEqual([expect.stringMatching(/at least one authorization mode/)])
    expect(errorsOf({ type: 'RBAC', name: 'a' }, { type: 'RBAC', name: 'b' })).toEqual(['authorizers[1].type: Duplicate value: "RBAC"'])
    expect(errorsOf({ type: 'RBAC', name: 'a' }, { type: 'Node', name: 'a' })).toEqual(['authorizers[1].name: Duplicate value: "a"'])
  })
})

describe('a webhook', () => {
  const clock = new FakeClock(0)
  const about = (name: string, more: object = {}): Attributes => ({
    user: { name: 'jane', groups: ['ops'] },
    verb: 'get',
    path: '',
    resource: { group: '', version: 'v1', resource: 'pods', subresource: '', namespace: 'ns', name, ...more },
  })
  const hook = (status: () => object, more: Partial<WebhookAuthorizerOptions> = {}) => {
    const sent: { spec: unknown; apiVersion: string }[] = []
    const authorize = webhookAuthorizer({
      ...{ name: 'hook', version: 'v1', authorizedTtl: 1000, unauthorizedTtl: 100, failurePolicy: 'NoOpinion', conditions: [], clock },
      logger: silentLogger,
      server: {
        async post(body) {
          sent.push(body as (typeof sent)[0])
          return { status: status() }
        },
      },
      ...more,
    })
    return { authorize, sent }
  }

  it('is asked again when its answer is old, a yes later than a no', async () => {
    let allowed = true
    const { authorize, sent } = hook(() => ({ allowed }))
    expect(await Promise.all([authorize(about('a')), authorize(about('a'))])).toEqual([
      { allowed: true, reason: '' },
      { allowed: true, reason: '' },
    ])
    expect(sent).toHaveLength(1)
    clock.jump(1000)
    allowed = false
    await authorize(about('a'))
    await authorize(about('a'))
    clock.jump(99)
    await authorize(about('a'))
    expect(sent).toHaveLength(2)
    clock.jump(1)
    await authorize(about('a'))
    expect(sent).toHaveLength(3)
  })

  it('is asked in the words of v1beta1 where that is wanted', async () => {
    const { authorize, sent } = hook(() => ({ allowed: true }), { version: 'v1beta1' })
    await authorize(about('a'))
    expect(sent[0]).toMatchObject({ apiVersion: 'authorization.k8s.io/v1beta1', spec: { user: 'jane', group: ['ops'] } })
    expect(sent[0]?.spec).not.toHaveProperty('groups')
  })

  it('that cannot say leaves it to others, or denies', async () => {
    const broken = () => {
      throw new Error('away')
    }
    expect(await hook(broken).authorize(about('a'))).toEqual({ allowed: false, reason: '', error: 'away' })
    expect(await hook(broken, { failurePolicy: 'Deny' }).authorize(about('a'))).toMatchObject({ denied: true })
    expect(await hook(() => ({ allowed: true, denied: true })).authorize(about('a'))).toMatchObject({
      allowed: false,
      error: expect.any(String) as string,
    })
  })

  it('is asked only where all conditions are met; one that fails counts as no answer', async () => {
    const conditions = (...sources: string[]) => sources.flatMap((source) => compileCondition(source).program ?? [])
    const only = hook(() => ({ allowed: true }), {
      conditions: conditions("request.resourceAttributes.name == 'a'", "request.user == 'jane'"),
    })
    expect(await only.authorize(about('b'))).toEqual({ allowed: false, reason: '' })
    expect(only.sent).toEqual([])
    expect((await only.authorize(about('a'))).allowed).toBe(true)
    const failing = conditions('request.nonResourceAttributes.path == "/a"', "request.user == 'joe'")
    expect(await hook(() => ({ allowed: true }), { conditions: failing, failurePolicy: 'Deny' }).authorize(about('a'))).toEqual({
      allowed: false,
      reason: '',
    })
    const error = hook(() => ({ allowed: true }), { conditions: failing.slice(0, 1), failurePolicy: 'Deny' })
    expect(await error.authorize(about('a'))).toMatchObject({ denied: true, error: expect.stringMatching(/no such key/) as string })
    expect(error.sent).toEqual([])
  })
})

describe('authorizers in turn', () => {
  const says = (decision: object) => async () => ({ allowed: false, reason: '', ...decision })
  const nobody = { user: { name: '', groups: [] }, verb: 'get', path: '/' }
  it('end with the first that allows or denies', async () => {
    const yes = says({ allowed: true })
    expect((await unionAuthorizer([says({ reason: 'a' }), yes])(nobody)).allowed).toBe(true)
    expect(await unionAuthorizer([says({ reason: 'a' }), says({ denied: true, reason: 'b' }), yes])(nobody)).toEqual({
      allowed: false,
      denied: true,
      reason: 'a\nb',
    })
    expect(await unionAuthorizer([says({ error: 'away' }), says({ reason: 'no' })])(nobody)).toEqual({
      allowed: false,
      reason: 'no',
      error: 'away',
    })
  })
})

describe('selectors of a review', () => {
  it('become the text of a query, and come back', () => {
    const requirements = [
      { key: 'app', operator: 'In', values: ['a', 'b'] },
      { key: 'old', operator: 'DoesNotExist' },
      { key: 'tier', operator: 'Exists' },
      { key: 'zone', operator: 'NotIn', values: ['x'] },
    ]
    expect(labelRequirements(labelSelectorText({ requirements }))).toEqual(requirements)
    expect(labelRequirements('size>3,app=a')).toEqual([{ key: 'app', operator: 'In', values: ['a'] }])
    expect(labelRequirements('((')).toEqual([])
    expect(
      fieldSelectorText({
        requirements: [
          { key: 'spec.nodeName', operator: 'In', values: ['a,b'] },
          { key: 'x', operator: 'Exists' },
        ],
      }),
    ).toBe('spec.nodeName=a\\,b')
  })
})
