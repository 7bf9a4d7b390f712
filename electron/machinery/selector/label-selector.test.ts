import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { parseLabelSelector, selectorFromLabels, selectorFromObject, selectorOf, validateLabelSelector } from './label-selector.ts'
import { labelRequirement, type LabelRequirement } from './requirement.ts'

fc.configureGlobal({ seed: 1 })

const NAME = '([A-Za-z0-9][-A-Za-z0-9_.]*)?[A-Za-z0-9]'
const faultOf = (text: string): string => {
  try {
    parseLabelSelector(text)
  } catch (error) {
    return (error as Error).message
  }
  return 'no fault'
}

describe('parseLabelSelector', () => {
  it.each([
    ['', ''],
    ['app=web', 'app=web'],
    ['app==web', 'app==web'],
    [' tier != back , app = web ', 'app=web,tier!=back'],
    ['x=', 'x='],
    ['x=,z= ', 'x=,z='],
    ['\rcanary', 'canary'],
    ['!canary', '!canary'],
    ['size>1,size<5', 'size>1,size<5'],
    ['team.example.com/tier in (front, back)', 'team.example.com/tier in (back,front)'],
    ['0.1.2.domain/99 notin (10.10.100.1, tick.tack)', '0.1.2.domain/99 notin (10.10.100.1,tick.tack)'],
    ['x in ()', 'x in ()'],
    ['x in (b,,b,a,)', 'x in (,a,b)'],
    ['x notin (, a)', 'x notin (,a)'],
    ['a in (x,notin,in)', 'a in (in,notin,x)'],
    ['in in (in),notin', 'in in (in),notin'],
  ])('reads %j', (text, canonical) => {
    expect(parseLabelSelector(text).toString()).toBe(canonical)
  })

  it.each([
    ['x,,y', "found ',', expected: identifier after ','"],
    [',x', "found ',', expected: !, identifier, or 'end of string'"],
    ['(', "found '(', expected: !, identifier, or 'end of string'"],
    ['a in (xyz),', "found '', expected: identifier after ','"],
    ['a in (x)b', "found 'b', expected: ',' or 'end of string'"],
    ['!x=a', "found '=', expected: ',' or 'end of string'"],
    ['x==a==b', "found '==', expected: ',' or 'end of string'"],
    ['x nott in (y)', "unable to parse requirement: found 'nott', expected: in, notin, =, ==, !=, gt, lt"],
    ['a (', "unable to parse requirement: found '(', expected: in, notin, =, ==, !=, gt, lt"],
    ['a notin(', "unable to parse requirement: found '', expected: ',', ')' or identifier"],
    ['a in x', "unable to parse requirement: found 'x' expected: '('"],
    ['a in (x y)', "unable to parse requirement: found 'y', expected: ',' or ')'"],
    ['a in (x,', "unable to parse requirement: found '', expected: ',', or identifier"],
    ['a=(', "unable to parse requirement: found '(', expected: identifier"],
    ['!!a', "unable to parse requirement: found '!', expected: identifier"],
    ['x<a', `unable to parse requirement: values[0]: Invalid value: "a": for 'Gt', 'Lt' operators, the value must be an integer`],
    [
      'x=a||y=b',
      `unable to parse requirement: values[0][x]: Invalid value: "a||y": a valid label must be an empty string or consist of alphanumeric characters, '-', '_' or '.', and must start and end with an alphanumeric character (e.g. 'MyValue',  or 'my_value',  or '12345', regex used for validation is '(${NAME})?')`,
    ],
    [
      '-a=b',
      `unable to parse requirement: <nil>: Invalid value: "-a": name part must consist of alphanumeric characters, '-', '_' or '.', and must start and end with an alphanumeric character (e.g. 'MyName',  or 'my.name',  or '123-abc', regex used for validation is '${NAME}')`,
    ],
    ['/a', 'unable to parse requirement: <nil>: Invalid value: "/a": prefix part must be non-empty'],
    [
      `${'k'.repeat(64)}`,
      `unable to parse requirement: <nil>: Invalid value: "${'k'.repeat(64)}": name part must be no more than 63 bytes`,
    ],
  ])('refuses %j in the words that clients know', (text, message) => {
    expect(faultOf(text)).toBe(message)
  })

  it('answers BadRequest', () => {
    expect(() => parseLabelSelector('a b')).toThrow(expect.objectContaining({ reason: 'BadRequest', code: 400 }))
  })
})

describe('matching labels', () => {
  it.each([
    ['', {}, true],
    ['app=web', { app: 'web' }, true],
    ['app=web', { app: 'db' }, false],
    ['app=web', {}, false],
    ['app=', {}, false],
    ['app=', { app: '' }, true],
    ['app!=web', {}, true],
    ['app!=web', { app: 'web' }, false],
    ['app in (web,db)', { app: 'db' }, true],
    ['app in (web,db)', {}, false],
    ['app notin (web,db)', {}, true],
    ['app notin (web,db)', { app: 'db' }, false],
    ['app', { app: '' }, true],
    ['!app', { app: '' }, false],
    ['!app', { other: 'x' }, true],
    ['size>10', { size: '11' }, true],
    ['size>10', { size: '9' }, false],
    ['size<10', { size: 'many' }, false],
    ['size<10', {}, false],
    ['size>9223372036854775806', { size: '9223372036854775807' }, true],
    ['a=1,b=2,c=3', { a: '1', b: '2', c: '3' }, true],
    ['a=1,b=2,c=3', { a: '1', b: '2', c: '4' }, false],
    ['constructor', {}, false],
    ['toString!=x', {}, true],
  ])('%j on %j is %j', (text, labels, expected) => {
    expect(parseLabelSelector(text).matches(labels)).toBe(expected)
  })

  it('takes absent labels for none', () => {
    expect(parseLabelSelector('!app').matches(undefined)).toBe(true)
    expect(parseLabelSelector('app').matches(null)).toBe(false)
  })

  it('knows the one value that a label must have', () => {
    const selector = parseLabelSelector('a=1,b in (2),c in (3,4),d!=5,e')
    expect(['a', 'b', 'c', 'd', 'e', 'f'].map((key) => selector.exact(key))).toEqual(['1', '2', ...Array(4).fill(undefined)])
  })
})

describe('LabelSelector objects', () => {
  it('select nothing when absent and everything when empty', () => {
    expect(selectorFromObject(undefined).matches({ a: 'b' })).toBe(false)
    expect(selectorFromObject(null).nothing).toBe(true)
    expect(selectorFromObject({}).matches({ a: 'b' })).toBe(true)
    expect(selectorFromObject({ matchLabels: {}, matchExpressions: [] }).everything).toBe(true)
  })

  it('combine matchLabels and matchExpressions', () => {
    const selector = selectorFromObject({
      matchLabels: { app: 'web' },
      matchExpressions: [
        { key: 'tier', operator: 'In', values: ['a', 'b'] },
        { key: 'env', operator: 'NotIn', values: ['dev'] },
        { key: 'live', operator: 'Exists' },
        { key: 'gone', operator: 'DoesNotExist' },
      ],
    })
    expect(selector.toString()).toBe('app=web,env notin (dev),!gone,live,tier in (a,b)')
    expect(selector.matches({ app: 'web', tier: 'b', live: 'x' })).toBe(true)
    expect(selector.matches({ app: 'web', tier: 'b', live: 'x', gone: '' })).toBe(false)
  })

  it('refuse an unknown operator', () => {
    expect(() => selectorFromObject({ matchExpressions: [{ key: 'a', operator: 'Gt', values: ['1'] }] })).toThrow(
      '"Gt" is not a valid label selector operator',
    )
  })

  it('are validated with the path of each fault', () => {
    const errors = validateLabelSelector(
      {
        matchLabels: { 'bad key': 'v' },
        matchExpressions: [
          { key: 'a', operator: 'In' },
          { key: 'a', operator: 'Exists', values: ['x'] },
          { key: 'a', operator: 'Near', values: ['-'] },
        ],
      },
      'spec.selector',
    )
    expect(errors.map((error) => `${error.type} ${error.field}`)).toEqual([
      'FieldValueInvalid spec.selector.matchLabels',
      'FieldValueRequired spec.selector.matchExpressions[0].values',
      'FieldValueForbidden spec.selector.matchExpressions[1].values',
      'FieldValueInvalid spec.selector.matchExpressions[2].operator',
      'FieldValueInvalid spec.selector.matchExpressions[2].values[0]',
    ])
    expect(validateLabelSelector({ matchLabels: { a: 'b' } }, 'spec.selector')).toEqual([])
    expect(validateLabelSelector(undefined, 'spec.selector')).toEqual([])
  })
})

describe('laws', () => {
  const key = fc.stringMatching(/^([a-z0-9]([-a-z0-9]{0,5}[a-z0-9])?\/)?[A-Za-z0-9]([-A-Za-z0-9_.]{0,8}[A-Za-z0-9])?$/)
  const value = fc.stringMatching(/^([A-Za-z0-9]([-A-Za-z0-9_.]{0,6}[A-Za-z0-9])?)?$/)
  const requirement: fc.Arbitrary<LabelRequirement> = fc.oneof(
    fc.tuple(key, fc.constantFrom('=', '==', '!=' as const), value).map(([k, op, v]) => labelRequirement(k, op as '=', [v])),
    fc
      .tuple(key, fc.constantFrom('in', 'notin' as const), fc.uniqueArray(value, { minLength: 1, maxLength: 4 }))
      .map(([k, op, v]) => labelRequirement(k, op as 'in', v.sort())),
    fc.tuple(key, fc.constantFrom('exists', '!' as const)).map(([k, op]) => labelRequirement(k, op as '!', [])),
    fc.tuple(key, fc.constantFrom('gt', 'lt' as const), fc.nat(99)).map(([k, op, n]) => labelRequirement(k, op as 'gt', [String(n)])),
  )

  it('text made of a selector parses to the same selector', () => {
    fc.assert(
      fc.property(fc.array(requirement, { maxLength: 5 }), (requirements) => {
        const sorted = [...requirements].sort((a, b) => (a.key < b.key ? -1 : a.key > b.key ? 1 : 0))
        expect(parseLabelSelector(selectorOf(sorted).toString()).requirements).toEqual(sorted)
      }),
    )
  })

  it('a selector from labels matches exactly the supersets', () => {
    fc.assert(
      fc.property(fc.dictionary(key, value), fc.dictionary(key, value), (wanted, labels) => {
        const superset = Object.entries(wanted).every(([k, v]) => Object.hasOwn(labels, k) && labels[k] === v)
        expect(selectorFromLabels(wanted).matches(labels)).toBe(superset)
        expect(selectorFromLabels(wanted).matches({ ...labels, ...wanted })).toBe(true)
      }),
    )
  })
})
