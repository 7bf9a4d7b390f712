import { describe, expect, it } from 'vitest'
import { elementOf, FACTS, modelFacts, propertiesOf, resolveSchema, schemaAt, type FactSchema } from './facts.ts'
import { MACHINE_MODEL } from './machine-facts.ts'

const POD = 'io.k8s.api.core.v1.Pod'

describe('schema facts', () => {
  it('are found by model', () => {
    expect(modelFacts(POD)?.type).toBe('object')
    expect(modelFacts('io.k8s.api.core.v1.Nothing')).toBeUndefined()
  })

  it('are followed through references, and the property keeps its own default', () => {
    const spec = schemaAt(POD, 'spec')
    expect(spec?.model).toBe('io.k8s.api.core.v1.PodSpec')
    expect(spec?.default).toEqual({})
    expect(propertiesOf(POD)['spec']).toBe(spec)
  })

  it('are entered through lists and maps', () => {
    expect(schemaAt(POD, 'spec.containers.ports.protocol')?.default).toBe('TCP')
    expect(schemaAt(POD, 'spec.containers')?.['x-kubernetes-patch-merge-key']).toBe('name')
    const limits = schemaAt(POD, 'spec.containers.resources.limits')
    expect(limits && elementOf(limits).model).toBe('io.k8s.apimachinery.pkg.api.resource.Quantity')
    expect(schemaAt(POD, 'spec.nothing.at.all')).toBeUndefined()
  })

  it('describe Machine like any other kind', () => {
    expect(schemaAt(MACHINE_MODEL, 'spec.ssh.port')?.default).toBe(22)
    expect(schemaAt(MACHINE_MODEL, 'metadata.labels')?.type).toBe('object')
    expect(schemaAt(MACHINE_MODEL, 'status.steps')?.['x-kubernetes-list-map-keys']).toEqual(['name'])
  })

  it('have no reference that leads nowhere', () => {
    const visit = (schema: FactSchema): void => {
      if (schema.$ref ?? schema.allOf) resolveSchema(schema)
      if (schema.items) visit(schema.items)
      if (schema.additionalProperties) visit(schema.additionalProperties)
      for (const property of Object.values(schema.properties ?? {})) visit(property)
    }
    expect(() => Object.values(FACTS).forEach(visit)).not.toThrow()
  })
})
