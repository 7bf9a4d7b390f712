import { describe, expect, it } from 'vitest'
import type { Loose } from '../../testing/objects.ts'
import { created, row, statusUpdated, stored, subresourceUpdated, updated } from '../../testing/rules.ts'
import { base64FromText } from '../../values/base64.ts'
import { certificateSigningRequest as csr, dateConditions } from './certificate-signing-request.ts'
import type { CertificateSigningRequest, CertificateSigningRequestCondition } from './types.gen.ts'

const pem = (type: string, body = 'AAAA') => base64FromText(`-----BEGIN ${type}-----\n${body}\n-----END ${type}-----\n`)
const of = (more: Loose = {}, status: Loose = {}): Loose => ({
  spec: { request: pem('CERTIFICATE REQUEST'), signerName: 'a.b/c', usages: ['client auth'], username: 'ada', ...more },
  status,
})
const condition = (type: string, more: Loose = {}) =>
  ({ type, status: 'True', reason: 'Why', ...more }) as CertificateSigningRequestCondition
const withConditions = (...conditions: CertificateSigningRequestCondition[]) => stored(csr, of({}, { conditions }))
const set =
  (...conditions: CertificateSigningRequestCondition[]) =>
  (object: CertificateSigningRequest) => {
    object.status.conditions = conditions
  }

describe('a request', () => {
  it.each<[what: string, spec: Loose, errors: (string | RegExp)[]]>([
    ['an ordinary one', { expirationSeconds: 600 }, []],
    [
      'of something else',
      { request: pem('CERTIFICATE') },
      [/^spec\.request: Invalid value: .*: PEM block type must be CERTIFICATE REQUEST$/],
    ],
    ['for no use', { usages: [] }, ['spec.usages: Required value']],
    [
      'for unknown uses, and one twice',
      { usages: ['any', 'fun', 'any'] },
      [
        /^spec\.usages\[1\]: Unsupported value: "fun": supported values: "any", "cert sign", "client auth", /,
        'spec.usages[2]: Duplicate value: "any"',
      ],
    ],
    [
      'for the signer of old',
      { signerName: 'kubernetes.io/legacy-unknown' },
      ['spec.signerName: Invalid value: "kubernetes.io/legacy-unknown": the legacy signerName is not allowed via this API version'],
    ],
    ['for a signer without a domain', { signerName: 'me' }, [/^spec\.signerName: Invalid value: "me": /]],
    [
      'for a moment',
      { expirationSeconds: 599 },
      ['spec.expirationSeconds: Invalid value: 599: may not specify a duration less than 600 seconds (10 minutes)'],
    ],
  ])('%s', (_, spec, errors) => {
    expect(created(csr, of(spec)).errors).toEqual(errors.map((error) => (typeof error === 'string' ? error : expect.stringMatching(error))))
  })

  it('begins undecided', () => {
    expect(created(csr, of({}, { conditions: [condition('Approved')] })).object.status).toEqual({})
  })

  it('stays as it was made', () => {
    const { object } = updated(csr, stored(csr, of()), ({ spec }) => {
      spec.username = 'bob'
    })
    expect(object.spec.username).toBe('ada')
  })
})

describe('who decides', () => {
  it('approves', () => {
    const { object, errors } = subresourceUpdated(csr, 'approval', stored(csr, of()), set(condition('Approved')))
    expect(errors).toEqual([])
    expect(object.status.conditions).toEqual([condition('Approved')])
  })

  it('changes nothing but the conditions', () => {
    const { object } = subresourceUpdated(csr, 'approval', stored(csr, of()), ({ spec, status }) => {
      spec.username = 'bob'
      status.certificate = pem('CERTIFICATE')
    })
    expect(object.spec.username).toBe('ada')
    expect(object.status).toEqual({})
  })

  it('does not both approve and deny', () => {
    const { errors } = subresourceUpdated(
      csr,
      'approval',
      withConditions(condition('Approved')),
      set(condition('Approved'), condition('Denied')),
    )
    expect(errors).toEqual(['status.conditions[1].type: Invalid value: "Denied": Approved and Denied conditions are mutually exclusive'])
  })

  it('does not take it back', () => {
    const { errors } = subresourceUpdated(csr, 'approval', withConditions(condition('Approved')), set())
    expect(errors).toEqual(['status.conditions: Forbidden: updates may not remove a condition of type "Approved"'])
    const not = subresourceUpdated(csr, 'approval', stored(csr, of()), set(condition('Approved', { status: 'False' })))
    expect(not.errors).toEqual(['status.conditions[0].status: Unsupported value: "False": supported values: "True"'])
  })
})

describe('who signs', () => {
  it('issues a certificate', () => {
    const { errors } = statusUpdated(csr, withConditions(condition('Approved')), ({ status }) => {
      status.certificate = pem('CERTIFICATE')
    })
    expect(errors).toEqual([])
  })

  it.each([
    ['', 'must contain at least one CERTIFICATE PEM block'],
    [pem('RSA PRIVATE KEY'), 'only CERTIFICATE PEM blocks are allowed, found "RSA PRIVATE KEY"'],
    [pem('CERTIFICATE', 'A: b\n\nAAAA'), 'no PEM block headers are permitted'],
  ])('does not issue %j', (certificate, why) => {
    const { errors } = statusUpdated(csr, stored(csr, of()), ({ status }) => {
      status.certificate = certificate || base64FromText('nothing')
    })
    expect(errors).toEqual([`status.certificate: Invalid value: "<certificate data>": ${why}`])
  })

  it('does not issue another one', () => {
    const old = stored(csr, of({}, { certificate: pem('CERTIFICATE') }))
    const { errors } = statusUpdated(csr, old, ({ status }) => {
      status.certificate = pem('CERTIFICATE', 'BBBB')
    })
    expect(errors).toEqual(['status.certificate: Forbidden: updates may not modify existing certificate content'])
  })

  it('does not decide', () => {
    const { errors } = statusUpdated(csr, stored(csr, of()), set(condition('Approved'), condition('Failed')))
    expect(errors).toEqual(['status.conditions: Forbidden: updates may not add a condition of type "Approved"'])
  })

  it('leaves the words of the decision', () => {
    const { object, errors } = statusUpdated(
      csr,
      withConditions(condition('Approved')),
      set(condition('Approved', { reason: 'Other' }), condition('Failed')),
    )
    expect(errors).toEqual([])
    expect(object.status.conditions).toEqual([condition('Approved'), condition('Failed')])
  })
})

it('has conditions with dates, of which those of old ones stay', () => {
  const conditions = [condition('Approved'), condition('Mine', { lastUpdateTime: 'then' })]
  dateConditions(
    conditions,
    [condition('Approved', { lastTransitionTime: 'before' }), condition('Mine', { status: 'False', lastTransitionTime: 'x' })],
    'now',
  )
  expect(conditions.map(({ lastUpdateTime, lastTransitionTime }) => [lastUpdateTime, lastTransitionTime])).toEqual([
    ['now', 'before'],
    ['then', 'now'],
  ])
})

it.each<[expected: string, status: Loose]>([
  ['Pending', {}],
  ['Approved', { conditions: [condition('Approved')] }],
  ['Approved,Issued', { conditions: [condition('Approved')], certificate: pem('CERTIFICATE') }],
  ['Approved,Failed', { conditions: [condition('Failed'), condition('Approved')] }],
  ['Denied', { conditions: [condition('Denied')] }],
])('is shown as %s', (expected, status) => {
  expect(row(csr, stored(csr, of({ expirationSeconds: 86400 }, status)))).toEqual({
    Age: '60m',
    SignerName: 'a.b/c',
    Requestor: 'ada',
    RequestedDuration: '24h',
    Condition: expected,
  })
})
