import { describe, expect, it } from 'vitest'
import type { Loose } from '../../testing/objects.ts'
import { created, row } from '../../testing/rules.ts'
import { mutatingWebhookConfiguration } from './mutating-webhook-configuration.ts'
import { validatingWebhookConfiguration } from './validating-webhook-configuration.ts'

const rule = (more: Loose = {}): Loose => ({ apiGroups: [''], apiVersions: ['v1'], operations: ['CREATE'], resources: ['pods'], ...more })
const hook = (more: Loose = {}): Loose => ({
  name: 'one.example.com',
  clientConfig: { url: 'https://hooks.example.com/one' },
  rules: [rule()],
  sideEffects: 'None',
  admissionReviewVersions: ['v1'],
  ...more,
})
const errorsOf = (more: Loose) => created(validatingWebhookConfiguration, { webhooks: [hook(more)] }).errors

describe('a webhook configuration', () => {
  it('says what its webhooks leave open', () => {
    const service = { name: 'hook', namespace: 'default' }
    const { object, errors } = created(mutatingWebhookConfiguration, { webhooks: [hook({ clientConfig: { service } })] })
    expect(errors).toEqual([])
    expect(object.webhooks?.[0]).toMatchObject({
      failurePolicy: 'Fail',
      matchPolicy: 'Equivalent',
      namespaceSelector: {},
      objectSelector: {},
      timeoutSeconds: 10,
      reinvocationPolicy: 'Never',
      rules: [{ scope: '*' }],
      clientConfig: { service: { port: 443 } },
    })
    expect(row(mutatingWebhookConfiguration, object)).toMatchObject({ Webhooks: 1 })
  })

  it.each<[what: string, webhook: Loose, errors: string[]]>([
    ['a whole one', {}, []],
    [
      'a short name',
      { name: 'one' },
      ['webhooks[0].name: Invalid value: "one": should be a domain with at least three segments separated by dots'],
    ],
    ['no way to call it', { clientConfig: {} }, ['webhooks[0].clientConfig: Required value: exactly one of url or service is required']],
    [
      'plain HTTP',
      { clientConfig: { url: 'http://hooks.example.com' } },
      [
        'webhooks[0].clientConfig.url: Invalid value: "http": \'https\' is the only allowed URL scheme; desired format: https://host[/path]',
      ],
    ],
    [
      'a query',
      { clientConfig: { url: 'https://hooks.example.com/x?y=z' } },
      [
        'webhooks[0].clientConfig.url: Invalid value: "y=z": query parameters are not permitted in the URL; desired format: https://host[/path]',
      ],
    ],
    [
      'a path with holes',
      { clientConfig: { service: { name: 'a', namespace: 'b', path: '/x//y' } } },
      ['webhooks[0].clientConfig.service.path: Invalid value: "/x//y": segment[1] may not be empty'],
    ],
    [
      'side effects',
      { sideEffects: 'Some' },
      ['webhooks[0].sideEffects: Unsupported value: "Some": supported values: "None", "NoneOnDryRun"'],
    ],
    [
      'too much patience',
      { timeoutSeconds: 31 },
      ['webhooks[0].timeoutSeconds: Invalid value: 31: the timeout value must be between 1 and 30 seconds'],
    ],
    [
      'a version that nobody speaks',
      { admissionReviewVersions: ['v7'] },
      ['webhooks[0].admissionReviewVersions: Invalid value: ["v7"]: must include at least one of v1, v1beta1'],
    ],
    [
      'all operations and one more',
      { rules: [rule({ operations: ['*', 'CREATE'] })] },
      ['webhooks[0].rules[0].operations: Invalid value: ["*","CREATE"]: if \'*\' is present, must not specify other operations'],
    ],
    [
      'a subresource of all and by name',
      { rules: [rule({ resources: ['pods/*', 'pods/status'] })] },
      ['webhooks[0].rules[0].resources[1]: Invalid value: "pods/status": if \'pods/*\' is present, must not specify pods/status'],
    ],
    [
      'conditions of one name',
      {
        matchConditions: [
          { name: 'a', expression: 'true' },
          { name: 'a', expression: 'true' },
        ],
      },
      ['webhooks[0].matchConditions[1].name: Duplicate value: "a"'],
    ],
  ])('with %s', (_, webhook, errors) => {
    expect(errorsOf(webhook)).toEqual(errors)
  })

  it('has no two of one name', () => {
    expect(created(validatingWebhookConfiguration, { webhooks: [hook(), hook()] }).errors).toEqual([
      'webhooks[1].name: Duplicate value: "one.example.com"',
    ])
  })
})
