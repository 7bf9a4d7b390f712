import { describe, expect, it } from 'vitest'
import type { Loose } from '../../testing/objects.ts'
import { created, row, statusUpdated, stored, subresourceUpdated, updated } from '../../testing/rules.ts'
import { namespace } from './namespace.ts'
import type { Namespace } from './types.gen.ts'

const DELETED = { metadata: { deletionTimestamp: '2026-01-01T00:30:00Z' } }

describe('a namespace', () => {
  it('begins active, held by its content, and labelled with its name', () => {
    const { object, errors } = created(namespace, { metadata: { labels: { a: 'b' } }, status: { phase: 'Terminating' } })
    expect(errors).toEqual([])
    expect(object).toMatchObject({
      metadata: { labels: { a: 'b', 'kubernetes.io/metadata.name': 'one' } },
      spec: { finalizers: ['kubernetes'] },
      status: { phase: 'Active' },
    })
  })

  it('gets its label back', () => {
    const { object } = updated(namespace, stored(namespace), ({ metadata }) => {
      metadata.labels = { 'kubernetes.io/metadata.name': 'two' }
    })
    expect(object.metadata.labels).toEqual({ 'kubernetes.io/metadata.name': 'one' })
  })

  it('refuses finalizers that are no names', () => {
    expect(created(namespace, { spec: { finalizers: ['mine'] } }).errors).toEqual([
      'spec.finalizers: Invalid value: "mine": name is neither a standard finalizer name nor is it fully qualified',
    ])
  })

  it('keeps its finalizers but through their own subresource', () => {
    const release = ({ spec }: Namespace) => {
      spec.finalizers = []
    }
    expect(updated(namespace, stored(namespace), release).object.spec.finalizers).toEqual(['kubernetes'])
    expect(subresourceUpdated(namespace, 'finalize', stored(namespace), release)).toMatchObject({
      object: { spec: { finalizers: [] } },
      errors: [],
    })
  })

  it('keeps its phase where only finalizers may change', () => {
    const { object, errors } = subresourceUpdated(namespace, 'finalize', stored(namespace), ({ spec, status }) => {
      spec.finalizers = ['a b']
      status.phase = 'Terminating'
    })
    expect(object.status.phase).toBe('Active')
    expect(errors).toHaveLength(2)
    expect(errors[1]).toBe('spec.finalizers[0]: Invalid value: "a b": name is neither a standard finalizer name nor is it fully qualified')
  })

  it.each<[phase: 'Active' | 'Terminating', manifest: Loose, error?: string]>([
    ['Terminating', {}, 'status.Phase: Invalid value: "Terminating": may only be \'Active\' if `deletionTimestamp` is empty'],
    ['Active', DELETED, 'status.Phase: Invalid value: "Active": may only be \'Terminating\' if `deletionTimestamp` is not empty'],
    ['Terminating', DELETED],
  ])('%s with %j', (phase, manifest, error) => {
    const { errors } = statusUpdated(namespace, stored(namespace, manifest), ({ status }) => {
      status.phase = phase
    })
    expect(errors).toEqual(error ? [error] : [])
  })

  it('is shown and found by its phase', () => {
    const object = stored(namespace)
    expect(row(namespace, object)).toEqual({ Status: 'Active', Age: '60m' })
    expect(namespace.selectableFields['status.phase']?.(object)).toBe('Active')
    expect(namespace.selectableFields['name']?.(object)).toBe('one')
  })
})
