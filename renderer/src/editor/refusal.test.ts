import { describe, expect, it } from 'vitest'
import type { Failure, StatusView } from '../face/failure.ts'
import { refusalInWords, refusedPlaces } from './refusal.ts'
import { parseManifest } from './yaml.ts'

const TEXT =
  'kind: Deployment\nspec:\n  replicsa: 2\n  template:\n    spec:\n      containers:\n        - name: a\n          imagePullPolice: Always\n'
const failed = (status: StatusView): Failure => ({ code: 'STATUS', what: 'Refused.', why: status.message ?? '', next: '', status })

describe('fields that a kind does not have', () => {
  it.each([
    [
      'server-side apply',
      'failed to create typed patch object (shop/x; apps/v1, Kind=Deployment): errors:\n  .spec.replicsa: field not declared in schema\n  .spec.template.spec.containers[name="a"].imagePullPolice: field not declared in schema',
    ],
    [
      'strict decoding',
      'strict decoding error: unknown field "spec.replicsa", unknown field "spec.template.spec.containers[0].imagePullPolice"',
    ],
  ])('are named, and marked where they are written, as told by %s', (_by, message) => {
    const failure = failed({ reason: 'BadRequest', message })
    expect(refusalInWords(failure, 'Deployment').why).toMatch(/^spec\.replicsa, spec\..*imagePullPolice are no fields of a Deployment\.$/)
    const manifest = parseManifest(TEXT)
    expect(refusedPlaces(manifest, 0, failure).map(({ line, from, to }) => [line, TEXT.slice(from, to)])).toEqual([
      [3, 'replicsa'],
      [8, 'imagePullPolice'],
    ])
  })
})

describe('fields with a wrong value', () => {
  const cause = (field: string) => ({ field, message: 'Invalid value: -1: must be greater than or equal to 0' })

  it('are told one a line, the first of many', () => {
    const causes = ['a', 'b', 'c', 'd', 'e'].map(cause)
    const { why } = refusalInWords(failed({ reason: 'Invalid', message: 'long', details: { causes } }), 'Deployment')
    expect(why.split('\n')).toEqual([
      'a: must be greater than or equal to 0',
      'b: must be greater than or equal to 0',
      'c: must be greater than or equal to 0',
      'And 2 more fields.',
    ])
  })

  it('are marked at their value', () => {
    const failure = failed({ reason: 'Invalid', message: '', details: { causes: [cause('spec.replicas')] } })
    const manifest = parseManifest('kind: Deployment\nspec:\n  replicas: -1\n')
    expect(refusedPlaces(manifest, 0, failure)).toMatchObject([{ line: 3, message: 'spec.replicas: must be greater than or equal to 0' }])
  })
})

describe('a refusal that names no field', () => {
  it('stays as it is', () => {
    const failure = failed({ reason: 'Forbidden', message: 'no' })
    expect(refusalInWords(failure, 'Deployment')).toEqual(failure)
    expect(refusedPlaces(parseManifest(TEXT), 0, failure)).toEqual([])
  })
})
