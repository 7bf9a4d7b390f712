import { describe, expect, it } from 'vitest'
import { KINDS } from '../../../../electron/api/kinds.gen.ts'
import { elementOf, schemaAt, type ResolvedSchema } from '../../../../electron/api/schema/facts.ts'
import { apiVersion } from '../../kube/resources.ts'
import { faults, readText, startText, valueAt, writeField, writeText } from './form-text.ts'
import type { Field } from './form-spec.ts'
import { readSignIn, writeSignIn } from './registry.ts'
import { FORMS, formOf } from './specs.ts'

const deployment = formOf('apps', 'deployments')
if (!deployment) throw new Error('there is no form of Deployments')
const text = startText(deployment, 'shop')
const fields = deployment.sections.flatMap((section) => section.fields)

describe('a form’s text', () => {
  it('begins with the kind, in the namespace', () => {
    expect(readText(text)).toMatchObject({ apiVersion: 'apps/v1', kind: 'Deployment', metadata: { namespace: 'shop' } })
  })
  it('keeps comments and fields that no form knows', () => {
    const own = '# mine\nkind: X\nspec:\n  odd: 1 # keep\n'
    const written = writeText(own, ['spec', 'replicas'], 3)
    expect(written).toContain('# mine')
    expect(written).toContain('odd: 1 # keep')
    expect(valueAt(readText(written), ['spec', 'replicas'])).toBe(3)
  })
  it('makes the lists and maps on the way, and drops what is left empty', () => {
    const written = writeText('kind: X\n', ['spec', 'accessModes', 0], 'ReadWriteOnce')
    expect(readText(written)).toEqual({ kind: 'X', spec: { accessModes: ['ReadWriteOnce'] } })
    expect(readText(writeText('kind: X\nspec:\n  a:\n    b: 1\n', ['spec', 'a', 'b'], ''))).toEqual({ kind: 'X' })
  })
  it('lets labels that were the name follow it, until somebody chose others', () => {
    const named = writeField(text, ['metadata', 'name'], 'web-2')
    expect(valueAt(readText(named), ['spec', 'selector', 'matchLabels', 'app'])).toBe('web-2')
    const own = writeText(text, ['spec', 'selector', 'matchLabels', 'app'], 'other')
    expect(valueAt(readText(writeField(own, ['metadata', 'name'], 'x')), ['spec', 'selector', 'matchLabels', 'app'])).toBe('other')
  })
  it('names what is missing or wrong, in groups of groups too', () => {
    const wrong = writeText(writeText(text, ['metadata', 'name'], 'Web'), ['spec', 'template', 'spec', 'containers', 0, 'resources'], {
      limits: { cpu: 'much' },
    })
    expect([...faults(fields, readText(wrong))]).toEqual([
      ['metadata.name', 'name'],
      ['spec.template.spec.containers[0].image', 'required'],
      ['spec.template.spec.containers[0].resources.limits.cpu', 'quantity'],
    ])
  })
})

describe('a registry’s sign-in', () => {
  it('is packed as docker does it, and read again', () => {
    const signIn = { server: 'registry.example', user: 'mira', password: 'ü' }
    const packed = writeSignIn(signIn)
    expect(JSON.parse(packed)).toEqual({ auths: { 'registry.example': { username: 'mira', password: 'ü', auth: 'bWlyYTrDvA==' } } })
    expect(readSignIn(packed)).toEqual(signIn)
    expect(writeSignIn(readSignIn('{'))).toBe('')
  })
})

/** The types that a field's input can write. */
const TYPES: Readonly<Record<Field['input'], readonly string[]>> = {
  text: ['string'],
  select: ['string'],
  namespace: ['string'],
  lines: ['string'],
  registry: ['string'],
  switch: ['boolean'],
  number: ['integer', 'string', 'int-or-string'],
  pairs: ['object'],
  words: ['array'],
  many: ['array'],
}

const MAPS = ['stringData', 'requests', 'limits']

function unfit(model: string, list: readonly Field[], at: string): string[] {
  return list.flatMap((field) => {
    const keys = field.path.filter((key) => typeof key === 'string')
    // Keys of maps are no properties: the map itself is what there must be.
    const map = keys.findIndex((key) => MAPS.includes(key))
    const path = [at, ...(map < 0 ? keys : keys.slice(0, map + 1))].filter(Boolean).join('.')
    const schema: ResolvedSchema | undefined = schemaAt(model, path)
    if (!schema) return [`${model}: ${path} is no field`]
    const value = typeof field.path.at(-1) === 'number' || map >= 0 ? elementOf(schema) : schema
    const type =
      value.type ??
      (value.oneOf
        ? value.oneOf.some((each) => each.type === 'integer' || each.type === 'number')
          ? 'int-or-string'
          : 'string'
        : 'object')
    const fits = map >= 0 || TYPES[field.input].includes(type) || (field.input === 'text' && type === 'int-or-string')
    return [
      ...(fits ? [] : [`${model}: ${path} is ${type}, not for ${field.input}`]),
      ...(field.input === 'many' ? unfit(model, field.of, path) : []),
    ]
  })
}

describe('the forms', () => {
  it.each(FORMS.map((form) => [form.resource.kind, form] as const))(
    'write fields of %s that the API has, with their types',
    (_kind, form) => {
      const kind = KINDS.find(
        (each) => each.group === form.resource.group && each.version === form.resource.version && each.resource === form.resource.resource,
      )
      expect(
        unfit(
          kind?.model ?? '',
          form.sections.flatMap((section) => section.fields),
          '',
        ),
      ).toEqual([])
    },
  )
  it('are of kinds that the API has, each once', () => {
    const names = FORMS.map(({ resource }) => `${apiVersion(resource)}/${resource.kind}`)
    expect(new Set(names).size).toBe(names.length)
    expect(names.length).toBeGreaterThanOrEqual(22)
  })
})
