import { describe, expect, it } from 'vitest'
import { duplicate, goQuote, invalid, notFound, notSupported, required, tooLong, tooMany } from './field-error.ts'

describe('field errors', () => {
  it('read as upstream prints them', () => {
    expect(required('spec.a').message).toBe('Required value')
    expect(required('spec.a', 'must be set').message).toBe('Required value: must be set')
    expect(invalid('spec.a', 'x', 'bad').message).toBe('Invalid value: "x": bad')
    expect(invalid('spec.a', 7).message).toBe('Invalid value: 7')
    expect(invalid('spec.a', undefined, 'bad').message).toBe('Invalid value: null: bad')
    expect(duplicate('spec.a', 'x').message).toBe('Duplicate value: "x"')
    expect(notFound('spec.a', 'x', 'no such claim').message).toBe('Not found: "x": no such claim')
    expect(tooLong('spec.a', 63).message).toBe('Too long: may not be more than 63 bytes')
    expect(tooMany('spec.a', 3, 1).message).toBe('Too many: 3: must have at most 1 item')
  })

  it('lists supported values in the order given', () => {
    expect(notSupported('spec.a', 'x', ['b', 'a']).message).toBe('Unsupported value: "x": supported values: "b", "a"')
  })

  it('quotes strings as Go does, and escapes HTML in structured values only', () => {
    expect(goQuote('a"b\\c\n\u0007\u0000é')).toBe('"a\\"b\\\\c\\n\\a\\x00é"')
    expect(invalid('a', '<b>').message).toBe('Invalid value: "<b>"')
    expect(invalid('a', { b: '<' }).message).toBe('Invalid value: {"b":"\\u003c"}')
  })
})
