import { describe, expect, it } from 'vitest'
import type { Loose } from '../../testing/objects.ts'
import { created } from '../../testing/rules.ts'
import { tokenRequest } from '../../authentication/v1/token-request.ts'
import { localSubjectAccessReview } from './local-subject-access-review.ts'
import { selfSubjectAccessReview } from './self-subject-access-review.ts'
import { subjectAccessReview } from './subject-access-review.ts'

const NOBODY = { name: '', namespace: '', uid: '', creationTimestamp: '' }
const resourceAttributes = { verb: 'get', resource: 'pods', namespace: 'default' }
const nonResourceAttributes = { verb: 'get', path: '/healthz' }
const AT = 'spec.resourceAttributes'

/** Reviews have no metadata, unlike what is made for tests. */
function errorsOf(kind: Parameters<typeof created>[0], spec: Loose, metadata: Loose = {}): string[] {
  const { object } = created(kind, { spec })
  Object.assign(object.metadata, NOBODY, metadata)
  return kind.strategy.validate?.(object).map(({ field, message }) => `${field}: ${message}`) ?? []
}

describe('a review', () => {
  it.each<[what: string, spec: Loose, errors: string[]]>([
    ['of a resource', { resourceAttributes }, []],
    ['of a path', { nonResourceAttributes }, []],
    [
      'of both',
      { resourceAttributes, nonResourceAttributes },
      [
        'spec.nonResourceAttributes: Invalid value: {"path":"/healthz","verb":"get"}: cannot be specified in combination with resourceAttributes',
      ],
    ],
    ['of neither', {}, [`${AT}: Invalid value: null: exactly one of nonResourceAttributes or resourceAttributes must be specified`]],
    [
      'of a choice that is none',
      {
        resourceAttributes: {
          ...resourceAttributes,
          fieldSelector: {},
          labelSelector: { rawSelector: 'a', requirements: [{ key: 'a', operator: 'Exists' }] },
        },
      },
      [
        `${AT}.fieldSelector.requirements: Required value: when ${AT}.fieldSelector is specified, requirements or rawSelector is required`,
        `${AT}.labelSelector.rawSelector: Invalid value: "a": may not specified at the same time as requirements`,
      ],
    ],
    [
      'of a choice with bad requirements',
      {
        resourceAttributes: {
          ...resourceAttributes,
          fieldSelector: { requirements: [{ key: '', operator: 'In' }] },
          labelSelector: { requirements: [{ key: 'a', operator: 'Exists', values: ['b'] }] },
        },
      },
      [
        `${AT}.fieldSelector.requirements[0].key: Required value: must be specified`,
        `${AT}.fieldSelector.requirements[0].values: Required value: must be specified when \`operator\` is 'In' or 'NotIn'`,
        `${AT}.labelSelector.requirements[0].values: Forbidden: may not be specified when \`operator\` is 'Exists' or 'DoesNotExist'`,
      ],
    ],
  ])('%s', (_, spec, errors) => {
    expect(errorsOf(selfSubjectAccessReview, spec)).toEqual(errors)
    expect(errorsOf(subjectAccessReview, { ...spec, user: 'ada' })).toEqual(errors)
  })

  it('is for somebody', () => {
    expect(errorsOf(subjectAccessReview, { resourceAttributes })).toEqual([
      'spec.user: Invalid value: "": at least one of user or group must be specified',
    ])
    expect(errorsOf(subjectAccessReview, { resourceAttributes, groups: ['g'] })).toEqual([])
  })

  it('is no object', () => {
    const [error] = errorsOf(selfSubjectAccessReview, { resourceAttributes }, { labels: { a: 'b' } })
    expect(error).toMatch(/^metadata: Invalid value: .*: must be empty$/)
  })

  it('in a namespace is about this namespace', () => {
    const spec = { user: 'ada', resourceAttributes }
    expect(errorsOf(localSubjectAccessReview, spec, { namespace: 'default' })).toEqual([])
    expect(errorsOf(localSubjectAccessReview, spec, { namespace: 'other' })).toEqual([
      'spec.resourceAttributes.namespace: Invalid value: "default": must match metadata.namespace',
    ])
    expect(errorsOf(localSubjectAccessReview, { user: 'ada', nonResourceAttributes }, { namespace: 'default' })).toEqual([
      'spec.nonResourceAttributes: Invalid value: {"path":"/healthz","verb":"get"}: disallowed on this kind of request',
    ])
  })
})

it.each<[seconds: number | undefined, errors: string[]]>([
  [undefined, []],
  [600, []],
  [599, ['spec.expirationSeconds: Invalid value: 599: may not specify a duration less than 10 minutes']],
  [2 ** 32 + 1, ['spec.expirationSeconds: Invalid value: 4294967297: may not specify a duration larger than 2^32 seconds']],
])('a token for %s seconds', (expirationSeconds, errors) => {
  expect(created(tokenRequest, { spec: { audiences: [], expirationSeconds } }).errors).toEqual(errors)
})
