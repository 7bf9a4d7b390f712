import { describe, expect, it } from 'vitest'
import { parseYaml } from './yaml-value.ts'

const valueOf = (text: string) => parseYaml(text).value

describe('parseYaml', () => {
  it.each<[string, unknown]>([
    ['yes', true],
    ['Off', false],
    ['y', true],
    ['No', false],
    ['~', null],
    ['', null],
    ['null', null],
    ['nUll', 'nUll'],
    ['12', 12],
    ['-12', -12],
    ['+12', 12],
    ['0777', 511],
    ['0o777', 511],
    ['0x1F', 31],
    ['0b101', 5],
    ['-0b101', -5],
    ['08', 8],
    ['1_000', 1000],
    ['1.5', 1.5],
    ['.5', 0.5],
    ['1e3', 1000],
    ['1.', 1],
    ['1:30', '1:30'],
    ['12:30:45', '12:30:45'],
    ['2026-11-21', '2026-11-21'],
    ['2026-11-21T08:00:00Z', '2026-11-21T08:00:00Z'],
    ['1.2.3', '1.2.3'],
    ['"yes"', 'yes'],
    ["'012'", '012'],
    ['!!str 12', '12'],
    ['!!int "12"', 12],
    ['!!float 12', 12],
    ['!!bool "yes"', true],
    ['!custom 12', '12'],
    ['!!binary aGk=', 'hi'],
    ['0xZZ', '0xZZ'],
    ['100m', '100m'],
    ['v1', 'v1'],
  ])('reads %j', (text, value) => {
    expect(valueOf(`a: ${text}`)).toEqual({ a: value })
  })

  it('turns keys into text', () => {
    expect(valueOf('1: a\ntrue: b\nyes: c\n1.5: d\n"x": e')).toEqual({ '1': 'a', true: 'c', '1.5': 'd', x: 'e' })
  })

  it('reads block and folded text', () => {
    expect(valueOf('a: |\n  x\n  y\nb: >-\n  x\n  y\n')).toEqual({ a: 'x\ny\n', b: 'x y' })
  })

  it('expands aliases and merges', () => {
    expect(valueOf('base: &b {v: 1, w: 2}\nother: &o {w: 4, z: 5}\na:\n  <<: [*b, *o]\n  v: 3\nlist: [*b]')).toMatchObject({
      a: { v: 3, w: 2, z: 5 },
      list: [{ v: 1, w: 2 }],
    })
  })

  it('reads JSON', () => {
    expect(valueOf('{"a":[1,"yes",null,true]}')).toEqual({ a: [1, 'yes', null, true] })
  })

  it('takes the first document', () => {
    expect(valueOf('---\na: 1\n---\nb: 2\n')).toEqual({ a: 1 })
  })

  it('reports keys that are there twice, of which the last counts', () => {
    const { value, strict } = parseYaml('a: 1\nb:\n  c: 1\n  c: 2\na: 3\n')
    expect(value).toEqual({ a: 3, b: { c: 2 } })
    expect(strict).toEqual(['yaml: unmarshal errors:\n  line 4: key "c" already set in map\n  line 5: key "a" already set in map'])
  })

  it.each([
    ['a: b: c', /^yaml: line 1: /],
    ['a: [1', /^yaml: line /],
    ['a: *nowhere', /unknown anchor 'nowhere' referenced/],
    ['a: &x [*x]', /anchor 'x' value contains itself/],
    ['a: .nan', /unsupported value: NaN/],
    ['a: -.inf', /unsupported value: -Inf/],
    ['a: !!int x', /cannot decode !!str `x` as a !!int/],
    ['~: a', /unsupported map key/],
    ['<<: 1', /map merge requires map/],
  ])('refuses %j', (text, message) => {
    expect(() => parseYaml(text)).toThrow(message)
  })

  it('does not let aliases grow without end', () => {
    const levels = Array.from({ length: 12 }, (_, i) => `l${i + 1}: &l${i + 1} [${Array(9).fill(`*l${i}`).join(', ')}]`)
    expect(() => parseYaml(`l0: &l0 x\n${levels.join('\n')}`)).toThrow('excessive aliasing')
  })

  it.each([
    ['JSON', '{"a":'.repeat(1001) + '1' + '}'.repeat(1001)],
    ['flow', '[a, '.repeat(1001) + ']'.repeat(1001)],
    ['flow without end', '['.repeat(100_000) + ']'.repeat(100_000)],
    ['blocks', '- '.repeat(1001)],
  ])('refuses %s that is nested too deep', (_, text) => {
    expect(() => parseYaml(text)).toThrow('yaml: exceeded max depth')
  })

  it('refuses what would hold up everybody else, but not as JSON', () => {
    const entry = `"key":"${'v'.repeat(600_000)}"`
    expect(() => parseYaml(`{${entry}, plain: x}`)).toThrow('send it as JSON')
    expect(Object.keys(valueOf(`{${entry}}`) as object)).toEqual(['key'])
  })

  it.each([
    ['{"a":1,"a":2}', { a: 2 }, 1],
    ['{"a":1.0,"b":1e3}', { a: 1, b: 1000 }, 0],
    ['{"a":{"b":[{"c":null}]}}', { a: { b: [{ c: null }] } }, 0],
    ['{"<<":{"x":1}}', { '<<': { x: 1 } }, 0],
  ])('reads the JSON %s as YAML does', (text, value, duplicates) => {
    expect(parseYaml(text)).toEqual({ value, strict: duplicates ? [expect.stringContaining('already set in map')] : [] })
  })
})
