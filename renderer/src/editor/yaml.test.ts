import { describe, expect, it } from 'vitest'
import { fieldPath, parseManifest, rangeOf, toYaml } from './yaml.ts'

const TEXT = `apiVersion: v1
kind: Service
metadata:
  name: web
---
# the second
apiVersion: apps/v1
kind: Deployment
spec:
  template:
    spec:
      containers:
        - name: web
          image: nginx
`

describe('a manifest', () => {
  it('is its documents, each with its line', () => {
    const { documents, problems } = parseManifest(TEXT)
    expect(problems).toEqual([])
    expect(documents.map((d) => [d.object?.kind, d.line])).toEqual([
      ['Service', 1],
      ['Deployment', 7],
    ])
  })

  it('says on which line it cannot be read', () => {
    const { problems } = parseManifest('kind: A\n---\nkind: [b\nname: c\n')
    expect(problems.length).toBeGreaterThan(0)
    expect(problems[0]?.line).toBeGreaterThanOrEqual(3)
  })

  it('says in plain words what is wrong, once a line', () => {
    const { problems } = parseManifest('a:\n  b: x\n   c: y\n')
    expect(problems.map((p) => p.line)).toEqual([2])
    expect(problems[0]?.message).toMatch(/indented too far/)
    expect(parseManifest('a:\n\tb: 1\n').problems[0]?.message).toMatch(/tab/)
  })

  it('refuses an alias that nothing stands behind', () => {
    const { problems, documents } = parseManifest('kind: A\n---\nkind: B\nname: *none\n')
    expect(problems.map((p) => p.line)).toEqual([3])
    expect(documents.map((d) => d.object?.kind)).toEqual(['A', undefined])
  })

  it('refuses a key twice and what is no mapping', () => {
    expect(parseManifest('a: 1\na: 2\n').problems[0]?.line).toBe(2)
    expect(parseManifest('just words\n').problems).toHaveLength(1)
  })

  it('skips empty documents', () => {
    expect(parseManifest('---\n---\nkind: A\n---\n').documents).toHaveLength(1)
  })

  it('finds a field, or the nearest thing around one that is not there', () => {
    const { documents, lineAt } = parseManifest(TEXT)
    const doc = documents[1]?.doc
    const line = (field: string) => doc && lineAt(rangeOf(doc, field)?.[0] ?? 0)
    expect(line('spec.template.spec.containers[0].image')).toBe(14)
    expect(line('spec.template.spec.containers[0].ports[0].containerPort')).toBe(13)
    expect(line('.spec.template.spec.containers[name="web"].image')).toBe(14)
    expect(line('spec.replicas')).toBe(9)
  })
})

describe('a field path', () => {
  it('knows indices and keys with dots', () => {
    expect(fieldPath('spec.containers[0].env[1].name')).toEqual(['spec', 'containers', 0, 'env', 1, 'name'])
    expect(fieldPath('.spec.containers[name="web"].image')).toEqual(['spec', 'containers', { key: 'name', value: 'web' }, 'image'])
    expect(fieldPath('metadata.labels[app.kubernetes.io/name]')).toEqual(['metadata', 'labels', 'app.kubernetes.io/name'])
  })
})

describe('an object as YAML', () => {
  it('has the usual order, and no field ownership', () => {
    expect(toYaml({ spec: { a: 1 }, kind: 'A', metadata: { name: 'x', managedFields: [{}] }, apiVersion: 'v1' })).toBe(
      'apiVersion: v1\nkind: A\nmetadata:\n  name: x\nspec:\n  a: 1\n',
    )
  })
})
