import { describe, expect, it } from 'vitest'
import { shown } from '../../testing/objects.ts'
import { selectorMatches, selectorText, validateLabelSelector } from './label-selector.ts'
import type { LabelSelector, LabelSelectorRequirement } from './types.gen.ts'

const expressions = (...matchExpressions: LabelSelectorRequirement[]): LabelSelector => ({ matchExpressions })

describe('a label selector', () => {
  const cases: [what: string, selector: LabelSelector | undefined, errors: string[]][] = [
    ['none', undefined, []],
    ['an ordinary one', { matchLabels: { app: 'web' }, matchExpressions: [{ key: 'tier', operator: 'In', values: ['a', ''] }] }, []],
    [
      'In without values',
      expressions({ key: 'a', operator: 'In' }),
      ["selector.matchExpressions[0].values: Required value: must be specified when `operator` is 'In' or 'NotIn'"],
    ],
    [
      'Exists with values',
      expressions({ key: 'a', operator: 'Exists', values: ['b'] }),
      ["selector.matchExpressions[0].values: Forbidden: may not be specified when `operator` is 'Exists' or 'DoesNotExist'"],
    ],
    [
      'an operator that does not exist',
      expressions({ key: 'a', operator: 'Gt', values: ['1'] }),
      ['selector.matchExpressions[0].operator: Invalid value: "Gt": not a valid selector operator'],
    ],
    [
      'an empty key and a bad value',
      expressions({ key: '', operator: 'NotIn', values: ['a', 'b c'] }),
      [
        'selector.matchExpressions[0].key: Invalid value: "": name part must be non-empty',
        "selector.matchExpressions[0].key: Invalid value: \"\": name part must consist of alphanumeric characters, '-', '_' or '.', and must start and end with an alphanumeric character (e.g. 'MyName',  or 'my.name',  or '123-abc', regex used for validation is '([A-Za-z0-9][-A-Za-z0-9_.]*)?[A-Za-z0-9]')",
        "selector.matchExpressions[0].values[1]: Invalid value: \"b c\": a valid label must be an empty string or consist of alphanumeric characters, '-', '_' or '.', and must start and end with an alphanumeric character (e.g. 'MyValue',  or 'my_value',  or '12345', regex used for validation is '(([A-Za-z0-9][-A-Za-z0-9_.]*)?[A-Za-z0-9])?')",
      ],
    ],
  ]
  it.each(cases)('%s', (_, selector, errors) => {
    expect(shown(validateLabelSelector(selector, 'selector'))).toEqual(errors)
  })
})

describe('what a selector selects', () => {
  const labels = { app: 'web', tier: '' }
  it.each<[string, LabelSelector | undefined, boolean]>([
    ['nothing by none', undefined, false],
    ['everything by an empty one', {}, true],
    ['equal labels', { matchLabels: { app: 'web' } }, true],
    ['not others', { matchLabels: { app: 'db' } }, false],
    ['an empty label is there', { matchLabels: { tier: '' } }, true],
    ['a missing one is not empty', { matchLabels: { zone: '' } }, false],
    ['one of the values', expressions({ key: 'app', operator: 'In', values: ['db', 'web'] }), true],
    ['none of the values', expressions({ key: 'app', operator: 'NotIn', values: ['db'] }), true],
    ['NotIn also where the label is missing', expressions({ key: 'zone', operator: 'NotIn', values: ['a'] }), true],
    ['Exists', expressions({ key: 'tier', operator: 'Exists' }), true],
    ['DoesNotExist', expressions({ key: 'tier', operator: 'DoesNotExist' }), false],
    ['names of Object are no labels', expressions({ key: 'constructor', operator: 'Exists' }), false],
    ['all at once', { matchLabels: { app: 'web' }, matchExpressions: [{ key: 'zone', operator: 'Exists' }] }, false],
  ])('%s', (_, selector, matches) => {
    expect(selectorMatches(selector, labels)).toBe(matches)
  })
})

it.each<[LabelSelector | undefined, string]>([
  [undefined, '<none>'],
  [{}, '<none>'],
  [{ matchLabels: { b: '2', a: '1' } }, 'a=1,b=2'],
  [
    {
      matchLabels: { c: '3' },
      matchExpressions: [
        { key: 'd', operator: 'DoesNotExist' },
        { key: 'b', operator: 'In', values: ['y', 'x'] },
        { key: 'a', operator: 'Exists' },
        { key: 'e', operator: 'NotIn', values: ['z'] },
      ],
    },
    'a,b in (x,y),c=3,!d,e notin (z)',
  ],
  [expressions({ key: 'a', operator: 'Gt', values: ['1'] }), '<error>'],
])('%j is shown as %s', (selector, text) => {
  expect(selectorText(selector)).toBe(text)
})
