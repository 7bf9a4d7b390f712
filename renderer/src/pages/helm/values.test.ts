import { describe, expect, it } from 'vitest'
import { manifestChanges, manifestParts } from './manifest.ts'
import { readValues, valuesText } from './values.ts'

describe('readValues', () => {
  const schema = { properties: { replicas: { minimum: 1 }, image: { properties: { tag: { type: 'string' } } } } }

  it('marks the line of what does not fit, also where the chart’s own value is what is wrong', () => {
    const { problems } = readValues('# mine\nimage:\n  tag: 2\nreplicas: 0\n', { replicas: 1 }, schema)
    expect(problems.map(({ line, message }) => `${line} ${message}`)).toEqual([
      '4 replicas must be at least 1',
      '3 image.tag must be string, and is number',
    ])
    expect(readValues('', { replicas: 0 }, schema).problems).toHaveLength(1)
  })

  it('takes an empty text for no values, and refuses what is no mapping', () => {
    expect(readValues('# nothing\n')).toEqual({ values: {}, problems: [] })
    expect(readValues('- a').problems[0]?.message).toBe('values are a mapping of keys')
    expect(readValues('a: [').values).toBeNull()
    expect(valuesText({})).toBe('')
  })
})

describe('manifests', () => {
  const one = (name: string, n: number) => `apiVersion: v1\nkind: ConfigMap\nmetadata:\n  name: ${name}\ndata:\n  n: "${n}"\n`

  it('are compared object by object, whatever their order', () => {
    const before = `---\n${one('a', 1)}---\n${one('b', 1)}---\n${one('c', 1)}`
    const after = `---\n${one('d', 1)}---\n${one('b', 2)}---\n${one('a', 1)}`
    const { changes, same } = manifestChanges(before, after)
    expect(changes.map(({ part, change }) => `${part.name} ${change}`)).toEqual(['d added', 'b changed', 'c removed'])
    expect(same).toBe(1)
  })

  it('have what is no object left out', () => {
    expect(manifestParts('---\n# Source: empty.yaml\n---\nkind: Pod\n---\n' + one('a', 1)).map(({ id }) => id)).toEqual([' ConfigMap /a'])
  })
})
