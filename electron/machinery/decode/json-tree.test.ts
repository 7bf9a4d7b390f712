import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { scanJson } from './json-scan.ts'
import { parseJsonTree, treeOf, type JsonNode } from './json-tree.ts'

fc.configureGlobal({ seed: 1 })

const faultOf = (text: string): string => {
  try {
    parseJsonTree(text)
  } catch (error) {
    return (error as Error).message
  }
  return 'no fault'
}

describe('parseJsonTree', () => {
  it('keeps duplicates and the text of numbers', () => {
    expect(parseJsonTree(' {"a": 1.0, "a": [true, null, "\\u0041\\n"]} ')).toEqual({
      kind: 'object',
      entries: [
        ['a', { kind: 'number', text: '1.0' }],
        ['a', { kind: 'array', items: [{ kind: 'boolean', value: true }, { kind: 'null' }, { kind: 'string', value: 'A\n' }] }],
      ],
    })
  })

  it('says the same of any value as looking at the value itself', () => {
    fc.assert(
      fc.property(fc.jsonValue(), (value) => {
        const text = JSON.stringify(value)
        expect(valueOf(parseJsonTree(text))).toEqual(valueOf(treeOf(JSON.parse(text))))
      }),
    )
  })

  it.each([
    ['', 'unexpected end of JSON input'],
    ['{"a":', 'unexpected end of JSON input'],
    ['"abc', 'unexpected end of JSON input'],
    ['hello', "invalid character 'h' looking for beginning of value"],
    ['{a:1}', "invalid character 'a' looking for beginning of object key string"],
    ['{"a" 1}', "invalid character '1' after object key"],
    ['{"a":1 "b":2}', "invalid character '\"' after object key:value pair"],
    ['[1 2]', "invalid character '2' after array element"],
    ['[1,]', "invalid character ']' looking for beginning of value"],
    ['{} x', "invalid character 'x' after top-level value"],
    ['"a\nb"', "invalid character '\\n' in string literal"],
    ['"a\u0001b"', "invalid character '\\x01' in string literal"],
    ['"\\x"', "invalid character 'x' in string escape code"],
    ['"\\u00g0"', "invalid character 'g' in \\u hexadecimal character escape"],
    ['-x', "invalid character 'x' in numeric literal"],
    ['1.x', "invalid character 'x' after decimal point in numeric literal"],
    ['1e+', 'unexpected end of JSON input'],
    ['1ex', "invalid character 'x' in exponent of numeric literal"],
    ['01', "invalid character '1' after top-level value"],
    ['trve', "invalid character 'v' in literal true (expecting 'u')"],
    ["'a'", "invalid character '\\'' looking for beginning of value"],
    ['é', "invalid character 'Ã' looking for beginning of value"],
    ['[}', "invalid character '}' looking for beginning of value"],
  ])('refuses %j in the words of Go', (text, message) => {
    expect(faultOf(text)).toBe(message)
  })

  it('accepts what JSON.parse accepts, and nothing else', () => {
    const text = fc.string({
      unit: fc.constantFrom('{', '}', '[', ']', '"', ':', ',', '1', '-', '.', 'e', '0', ' ', '\\', 'a', 'true'),
      maxLength: 12,
    })
    fc.assert(
      fc.property(text, (candidate) => {
        let valid = true
        try {
          JSON.parse(candidate)
        } catch {
          valid = false
        }
        expect(faultOf(candidate) === 'no fault').toBe(valid)
      }),
      { numRuns: 2000 },
    )
  })
})

describe('scanJson', () => {
  it('counts properties and depth of any text', () => {
    fc.assert(
      fc.property(fc.jsonValue({ stringUnit: 'binary' }), (value) => {
        const text = JSON.stringify(value)
        const { keys, depth } = scanJson(Buffer.from(text))
        expect({ keys, depth }).toEqual(measure(JSON.parse(text)))
      }),
    )
  })

  it.each([
    ['{"a":1}', false],
    ['{"a":"1.5"}', false],
    ['[true,false,null]', false],
    ['[123456789012345]', false],
    ['[1.5]', true],
    ['[1e3]', true],
    ['[1E3]', true],
    ['[1234567890123456]', true],
    ['["1234567890123456",1]', false],
  ])('knows whether %s has numbers that a double may not hold as written', (text, inexact) => {
    expect(scanJson(Buffer.from(text)).inexact).toBe(inexact)
  })
})

function valueOf(node: JsonNode): unknown {
  if (node.kind === 'object') return node.entries.map(([key, item]) => [key, valueOf(item)])
  if (node.kind === 'array') return node.items.map(valueOf)
  if (node.kind === 'null') return null
  return node.kind === 'number' ? Number(node.text) : node.value
}

function measure(value: unknown): { keys: number; depth: number } {
  if (typeof value !== 'object' || value === null) return { keys: 0, depth: 0 }
  const inner = Object.values(value).map(measure)
  const own = Array.isArray(value) ? 0 : inner.length
  return { keys: own + inner.reduce((sum, { keys }) => sum + keys, 0), depth: 1 + Math.max(0, ...inner.map(({ depth }) => depth)) }
}
