import { describe, expect, it } from 'vitest'
import { FACTS } from '../../api/schema/facts.ts'
import { modelType, testTypes } from '../testing/types.ts'
import { GO_TYPES } from './go-types.ts'
import { POINTERS } from './pointers.ts'

const field = (model: string, name: string) => {
  const found = modelType(model).fields.get(name)
  if (!found) throw new Error(`no field ${name}`)
  return found
}

describe('types of the facts', () => {
  it('are the same object for the same model', () => {
    expect(field('core.v1.Pod', 'spec').type).toBe(modelType('core.v1.PodSpec'))
    expect(field('core.v1.PodTemplateSpec', 'spec').type).toBe(modelType('core.v1.PodSpec'))
  })

  it('begin with apiVersion, kind and metadata', () => {
    expect([...modelType('core.v1.ConfigMap').fields.keys()]).toEqual(['apiVersion', 'kind', 'metadata', 'binaryData', 'data', 'immutable'])
  })

  it('know how lists, maps and objects merge', () => {
    expect(field('core.v1.PodSpec', 'containers').type).toMatchObject({
      kind: 'list',
      listType: 'map',
      keys: ['name'],
      go: '[]v1.Container',
    })
    expect(field('core.v1.Container', 'ports')).toMatchObject({
      type: { listType: 'map', keys: ['containerPort', 'protocol'] },
      patch: { strategy: 'merge', mergeKey: 'containerPort' },
    })
    expect(field('core.v1.PodSpec', 'volumes').patch).toEqual({ strategy: 'merge', retainKeys: true, mergeKey: 'name' })
    expect(field('core.v1.PodSpec', 'tolerations').type).toMatchObject({ listType: 'atomic' })
    expect(field('core.v1.PodSpec', 'nodeSelector').type).toMatchObject({ kind: 'map', atomic: true })
    expect(field('meta.v1.ObjectMeta', 'finalizers').type).toMatchObject({ listType: 'set' })
    expect(modelType('meta.v1.LabelSelector').atomic).toBe(true)
  })

  it('let a property overrule how its model merges', () => {
    expect(modelType('core.v1.ObjectReference').atomic).toBe(true)
    expect(field('core.v1.PersistentVolumeSpec', 'claimRef').type).toMatchObject({ kind: 'struct', atomic: false })
  })

  it('may contain themselves', () => {
    const props = testTypes.struct('io.k8s.apiextensions-apiserver.pkg.apis.apiextensions.v1.JSONSchemaProps')
    expect(props.fields.get('properties')?.type).toMatchObject({ kind: 'map', values: props })
  })

  it('can be built for every model of the facts', () => {
    const objects = Object.entries(FACTS).filter(([, schema]) => schema.type === 'object' && schema.properties)
    expect(objects.length).toBeGreaterThan(1000)
    for (const [name] of objects) expect(testTypes.struct(name).fields.size).toBeGreaterThan(0)
    expect(() => testTypes.struct('io.k8s.api.core.v1.Nonsense')).toThrow('no model')
  })
})

describe('the tables beside the facts', () => {
  const fieldsOf = (model: string) => {
    const full = Object.keys(FACTS).find((name) => name.endsWith(`.${model}`))
    return Object.keys((full && FACTS[full]?.properties) || {})
  }

  it('name fields that exist', () => {
    for (const [model, names] of Object.entries(POINTERS)) expect(fieldsOf(model), model).toEqual(expect.arrayContaining(names.split(' ')))
    for (const models of Object.values(GO_TYPES))
      for (const [model, names] of Object.entries(models)) expect(fieldsOf(model), model).toEqual(expect.arrayContaining(names.split(' ')))
  })
})
