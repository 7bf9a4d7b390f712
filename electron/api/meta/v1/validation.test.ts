import { describe, expect, it } from 'vitest'
import { meta, shown, type Loose } from '../../testing/objects.ts'
import { nameIsDnsLabel } from '../../values/names.ts'
import type { ObjectMeta } from './object.ts'
import { validateObjectMeta, validateObjectMetaUpdate } from './validation.ts'

const RULES = { namespaced: true, validateName: nameIsDnsLabel, standardFinalizers: true }
const LABEL =
  "a lowercase RFC 1123 label must consist of lower case alphanumeric characters or '-', and must start and end with an alphanumeric character (e.g. 'my-name',  or '123-abc', regex used for validation is '[a-z0-9]([-a-z0-9]*[a-z0-9])?')"
const NAME_PART =
  "name part must consist of alphanumeric characters, '-', '_' or '.', and must start and end with an alphanumeric character (e.g. 'MyName',  or 'my.name',  or '123-abc', regex used for validation is '([A-Za-z0-9][-A-Za-z0-9_.]*)?[A-Za-z0-9]')"

const owner = (more: Loose = {}) => ({ apiVersion: 'apps/v1', kind: 'ReplicaSet', name: 'web', uid: 'u-9', ...more })

describe('metadata of a new object', () => {
  const cases: [what: string, metadata: Loose, errors: string[], rules?: Loose][] = [
    ['ordinary', { labels: { 'a.b/c': '' }, annotations: { 'A.b/c': 'x' }, ownerReferences: [owner()] }, []],
    ['without a name', { name: '' }, ['metadata.name: Required value: name or generateName is required']],
    ['with a bad name', { name: 'A' }, [`metadata.name: Invalid value: "A": ${LABEL}`]],
    ['with a name made from a base that ends with a dash', { name: 'web-x', generateName: 'web-' }, []],
    ['with a bad base of a name', { generateName: 'web_' }, [`metadata.generateName: Invalid value: "web_": ${LABEL}`]],
    ['without a namespace', { namespace: '' }, ['metadata.namespace: Required value']],
    ['with a namespace where there is none', {}, ['metadata.namespace: Forbidden: not allowed on this type'], { namespaced: false }],
    ['with a bad namespace', { namespace: 'a.b' }, ['metadata.namespace: Invalid value: "a.b": must not contain dots']],
    ['of a negative generation', { generation: -1 }, ['metadata.generation: Invalid value: -1: must be greater than or equal to 0']],
    ['with a bad key of a label', { labels: { 'a b': 'c' } }, [`metadata.labels: Invalid value: "a b": ${NAME_PART}`]],
    [
      'with a long value of a label',
      { labels: { a: 'x'.repeat(64) } },
      [`metadata.labels: Invalid value: "${'x'.repeat(64)}": must be no more than 63 bytes`],
    ],
    ['with a bad key of an annotation', { annotations: { 'a b': '' } }, [`metadata.annotations: Invalid value: "a b": ${NAME_PART}`]],
    ['with annotations of 256 KiB', { annotations: { a: 'x'.repeat(262_143) } }, []],
    [
      'with more of them',
      { annotations: { a: 'x'.repeat(262_144) } },
      ['metadata.annotations: Too long: may not be more than 262144 bytes'],
    ],
    [
      'owned by nothing in particular',
      { ownerReferences: [{ apiVersion: '', kind: '', name: '', uid: '' }] },
      [
        'metadata.ownerReferences.apiVersion: Invalid value: "": version must not be empty',
        'metadata.ownerReferences.kind: Invalid value: "": must not be empty',
        'metadata.ownerReferences.name: Invalid value: "": must not be empty',
        'metadata.ownerReferences.uid: Invalid value: "": must not be empty',
      ],
    ],
    [
      'owned by an event',
      { ownerReferences: [{ apiVersion: 'v1', kind: 'Event', name: 'e', uid: 'u' }] },
      [
        'metadata.ownerReferences: Invalid value: {"apiVersion":"v1","kind":"Event","name":"e","uid":"u"}: /v1, Kind=Event is disallowed from being an owner',
      ],
    ],
    [
      'with a finalizer that is neither known nor of a domain',
      { finalizers: ['mine', 'orphan', 'a.b/c'] },
      ['metadata.finalizers[0]: Invalid value: "mine": name is neither a standard finalizer name nor is it fully qualified'],
    ],
    ['the same of a custom resource', { finalizers: ['mine'] }, [], { standardFinalizers: false }],
    [
      'to be orphaned and deleted with its dependents',
      { finalizers: ['orphan', 'foregroundDeletion'] },
      ['metadata.finalizers: Invalid value: ["orphan","foregroundDeletion"]: finalizer orphan and foregroundDeletion cannot be both set'],
    ],
  ]
  it.each(cases)('%s', (_, metadata, errors, rules = {}) => {
    expect(shown(validateObjectMeta(meta(metadata) as ObjectMeta, { ...RULES, ...rules }))).toEqual(errors)
  })

  it('has one controller', () => {
    const ownerReferences = [owner({ controller: true }), owner({ name: 'b', uid: 'u-8', controller: true })]
    const [error] = shown(validateObjectMeta(meta({ ownerReferences }), RULES))
    expect(error).toMatch(
      /: Only one reference can have Controller set to true\. Found "true" in references for ReplicaSet\/web and ReplicaSet\/b$/,
    )
  })
})

describe('changed metadata', () => {
  const cases: [what: string, metadata: Loose, old: Loose, errors: string[]][] = [
    ['labels', { labels: { a: 'b' } }, {}, []],
    [
      'without the version that was seen',
      { resourceVersion: '' },
      {},
      ['metadata.resourceVersion: Invalid value: "": must be specified for an update'],
    ],
    ['the name', { name: 'two' }, {}, ['metadata.name: Invalid value: "two": field is immutable']],
    ['the namespace', { namespace: 'b' }, {}, ['metadata.namespace: Invalid value: "b": field is immutable']],
    ['the uid', { uid: 'u-2' }, {}, ['metadata.uid: Invalid value: "u-2": field is immutable']],
    ['an older generation', { generation: 1 }, { generation: 2 }, ['metadata.generation: Invalid value: 1: must not be decremented']],
    ['a new finalizer', { finalizers: ['a.b/c'] }, {}, []],
    [
      'a new finalizer of what is being deleted',
      { finalizers: ['a.b/c', 'a.b/d'], deletionTimestamp: '2026-01-01T00:00:01Z' },
      { finalizers: ['a.b/d'], deletionTimestamp: '2026-01-01T00:00:01Z' },
      [
        'metadata.finalizers: Forbidden: no new finalizers can be added if the object is being deleted, found new finalizers []string{"a.b/c"}',
      ],
    ],
    ['one finalizer less', { deletionTimestamp: 't' }, { finalizers: ['a.b/d'], deletionTimestamp: 't' }, []],
    [
      'another grace period',
      { deletionGracePeriodSeconds: 0 },
      { deletionGracePeriodSeconds: 30 },
      ['metadata.deletionGracePeriodSeconds: Invalid value: 0: field is immutable'],
    ],
  ]
  it.each(cases)('%s', (_, metadata, old, errors) => {
    const [now, before] = [meta({ resourceVersion: '1', ...metadata }), meta({ resourceVersion: '1', ...old })]
    expect(shown(validateObjectMetaUpdate(now as ObjectMeta, before as ObjectMeta, { standardFinalizers: true }))).toEqual(errors)
  })
})
