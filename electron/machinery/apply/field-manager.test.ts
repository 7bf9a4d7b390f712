import { describe, expect, it } from 'vitest'
import type { ManagedFieldsEntry } from '../../api/meta/v1/types.gen.ts'
import { Codecs } from '../decode/codec.ts'
import type { JsonObject } from '../json-value.ts'
import type { StatusError } from '../status.ts'
import { modelType } from '../testing/types.ts'
import { applyConfiguration, trackUpdate, withManagedFields, type Requester } from './field-manager.ts'
import { FieldSet } from './field-set.ts'
import { LAST_APPLIED } from './last-applied.ts'
import type { MergeTarget } from './updater.ts'

const type = modelType('apps.v1.Deployment')
const codec = new Codecs().for<JsonObject>(type)
const target: MergeTarget = { apiVersion: 'apps/v1', type, resetFields: FieldSet.ofFields('status') }
const statusTarget: MergeTarget = { ...target, resetFields: FieldSet.ofFields('spec', 'metadata.labels') }
const by = (manager: string, now = '2026-11-21T08:00:00Z', subresource?: string): Requester => ({ manager, now, subresource })

const deployment = (spec: JsonObject = {}, metadata: JsonObject = {}): JsonObject => ({
  apiVersion: 'apps/v1',
  kind: 'Deployment',
  metadata: { name: 'web', namespace: 'default', ...metadata },
  spec,
})
const metaOf = (object: JsonObject) => object['metadata'] as { managedFields?: ManagedFieldsEntry[]; annotations?: Record<string, string> }
const owners = (object: JsonObject) =>
  (metaOf(object).managedFields ?? []).map(({ manager, operation, subresource, time }) =>
    [manager, operation, subresource, time].filter(Boolean).join(' '),
  )
const fieldsOf = (object: JsonObject, manager: string) => metaOf(object).managedFields?.find((entry) => entry.manager === manager)?.fieldsV1
const write = (live: JsonObject | null, next: JsonObject, requester: Requester, at = target): JsonObject => {
  const decoded = codec.decode(next).object
  return withManagedFields(decoded, trackUpdate(live, decoded, requester, at))
}
const apply = (live: JsonObject | null, config: JsonObject, requester: Requester, force = false) =>
  applyConfiguration(live, config, requester, force, target, codec)
const statusOf = (run: () => unknown): StatusError['status'] => {
  try {
    run()
  } catch (error) {
    return (error as StatusError).status
  }
  throw new Error('no error')
}

const container = { name: 'web', image: 'nginx', imagePullPolicy: 'Always' }
const full = deployment(
  {
    replicas: 1,
    selector: { matchLabels: { app: 'web' } },
    strategy: { type: 'RollingUpdate', rollingUpdate: { maxSurge: '25%' } },
    template: { metadata: { labels: { app: 'web' } }, spec: { containers: [container] } },
  },
  { labels: { app: 'web' }, uid: 'u', creationTimestamp: '2026-11-21T07:00:00Z', generation: 1 },
)

describe('trackUpdate', () => {
  it('makes the creator owner of what it gave, as Kubernetes does', () => {
    const created = write(null, full, by('kubectl-create'))
    expect(metaOf(created).managedFields).toEqual([
      {
        apiVersion: 'apps/v1',
        fieldsType: 'FieldsV1',
        fieldsV1: {
          'f:metadata': { 'f:labels': { '.': {}, 'f:app': {} } },
          'f:spec': {
            'f:replicas': {},
            'f:selector': {},
            'f:strategy': { 'f:rollingUpdate': { '.': {}, 'f:maxSurge': {} }, 'f:type': {} },
            'f:template': {
              'f:metadata': { 'f:labels': { '.': {}, 'f:app': {} } },
              'f:spec': {
                'f:containers': {
                  'k:{"name":"web"}': { '.': {}, 'f:image': {}, 'f:imagePullPolicy': {}, 'f:name': {}, 'f:resources': {} },
                },
              },
            },
          },
        },
        manager: 'kubectl-create',
        operation: 'Update',
        time: '2026-11-21T08:00:00Z',
      },
    ])
  })

  it('adds an owner for a change and leaves the others their time', () => {
    const created = write(null, full, by('a'))
    const scaled = write(created, { ...full, spec: { ...(full['spec'] as JsonObject), replicas: 3 } }, by('b', '2026-11-21T09:00:00Z'))
    expect(owners(scaled)).toEqual(['a Update 2026-11-21T08:00:00Z', 'b Update 2026-11-21T09:00:00Z'])
    expect(fieldsOf(scaled, 'b')).toEqual({ 'f:spec': { 'f:replicas': {} } })
    expect(JSON.stringify(fieldsOf(scaled, 'a'))).not.toContain('f:replicas')
  })

  it('joins what the same manager did before, and leaves all as it is where nothing changes', () => {
    const created = write(null, full, by('a'))
    const same = write(created, full, by('b', '2026-11-21T09:00:00Z'))
    expect(metaOf(same).managedFields).toEqual(metaOf(created).managedFields)
    const again = write(
      created,
      deployment({ ...(full['spec'] as JsonObject), paused: true }, full['metadata'] as JsonObject),
      by('a', '2026-11-21T09:00:00Z'),
    )
    expect(owners(again)).toEqual(['a Update 2026-11-21T09:00:00Z'])
    expect(fieldsOf(again, 'a')).toMatchObject({ 'f:spec': { 'f:paused': {}, 'f:replicas': {} } })
  })

  it('keeps apart what was done through the status', () => {
    const created = write(null, full, by('a'))
    const reported = write(
      created,
      { ...full, status: { replicas: 1, observedGeneration: 1 } },
      by('a', '2026-11-21T09:00:00Z', 'status'),
      statusTarget,
    )
    expect(owners(reported)).toEqual(['a Update 2026-11-21T08:00:00Z', 'a Update status 2026-11-21T09:00:00Z'])
    expect(metaOf(reported).managedFields?.[1]?.fieldsV1).toEqual({ 'f:status': { 'f:observedGeneration': {}, 'f:replicas': {} } })
  })

  it('takes the ownership that a client sends, but not through a subresource', () => {
    const created = write(null, full, by('a'))
    const entries = [{ ...metaOf(created).managedFields?.[0], manager: 'renamed' }]
    expect(owners(write(created, withManagedFields(full, entries as ManagedFieldsEntry[]), by('b')))).toEqual([
      'renamed Update 2026-11-21T08:00:00Z',
    ])
    expect(
      owners(write(created, withManagedFields(full, entries as ManagedFieldsEntry[]), by('b', undefined, 'status'), statusTarget)),
    ).toEqual(['a Update 2026-11-21T08:00:00Z'])
  })

  it('forgets all owners for a list of one empty entry, and tracks again from the first apply', () => {
    const created = write(null, full, by('a'))
    const cleared = write(created, withManagedFields(full, [{}] as ManagedFieldsEntry[]), by('b'))
    expect(metaOf(cleared).managedFields).toBeUndefined()
    expect(
      metaOf(write(cleared, { ...full, spec: { ...(full['spec'] as JsonObject), replicas: 2 } }, by('b'))).managedFields,
    ).toBeUndefined()
  })

  it('takes the live ownership where the client sent what cannot be read', () => {
    const created = write(null, full, by('a'))
    expect(owners(write(created, withManagedFields(full, [{ manager: 'x' }] as ManagedFieldsEntry[]), by('b')))).toEqual([
      'a Update 2026-11-21T08:00:00Z',
    ])
  })

  it('calls a manager without a name unknown', () => {
    expect(owners(write(null, full, by('')))).toEqual(['unknown Update 2026-11-21T08:00:00Z'])
  })

  it('merges the oldest of more than ten that update', () => {
    let live = write(null, full, by('m0', '2026-11-21T08:00:00Z'))
    for (let i = 1; i <= 11; i++) {
      const annotations = { ...metaOf(live).annotations, [`k${i}`]: 'v' }
      live = write(
        live,
        { ...live, metadata: { ...(live['metadata'] as JsonObject), annotations } },
        by(`m${i}`, `2026-11-21T08:00:${String(i).padStart(2, '0')}Z`),
      )
    }
    expect(owners(live)).toEqual([
      'ancient-changes Update 2026-11-21T08:00:02Z',
      ...Array.from({ length: 9 }, (_, i) => `m${i + 3} Update 2026-11-21T08:00:${String(i + 3).padStart(2, '0')}Z`),
    ])
    expect(fieldsOf(live, 'ancient-changes')).toMatchObject({
      'f:metadata': { 'f:annotations': { 'f:k1': {}, 'f:k2': {} }, 'f:labels': {} },
    })
  })

  it('gives up where items of a list cannot be told apart', () => {
    const odd = { ...full, spec: { ...(full['spec'] as JsonObject), template: { spec: { volumes: [null] } } } }
    expect(trackUpdate(null, odd, by('a'), target)).toBeUndefined()
  })
})

describe('applyConfiguration', () => {
  const config = deployment({ replicas: 2, template: { spec: { containers: [{ name: 'web', image: 'nginx' }] } } })

  it('creates what is not there', () => {
    const created = apply(null, config, by('me'))
    expect(created).toMatchObject({
      metadata: { name: 'web' },
      spec: { replicas: 2, template: { spec: { containers: [{ name: 'web', resources: {} }] } } },
      status: {},
    })
    expect(metaOf(created).managedFields).toEqual([
      {
        apiVersion: 'apps/v1',
        fieldsType: 'FieldsV1',
        fieldsV1: {
          'f:spec': {
            'f:replicas': {},
            'f:template': { 'f:spec': { 'f:containers': { 'k:{"name":"web"}': { '.': {}, 'f:image': {}, 'f:name': {} } } } },
          },
        },
        manager: 'me',
        operation: 'Apply',
        time: '2026-11-21T08:00:00Z',
      },
    ])
  })

  it('leaves object and time alone where nothing changes', () => {
    const created = apply(null, config, by('me'))
    expect(apply(created, config, by('me', '2026-11-21T09:00:00Z'))).toEqual(created)
  })

  it('keeps the defaults that nobody applied', () => {
    const live = write(null, full, by('a'))
    const applied = apply(live, deployment({ replicas: 1 }), by('me'))
    expect(applied).toMatchObject({ spec: { replicas: 1, strategy: { type: 'RollingUpdate' } } })
    expect(fieldsOf(applied, 'me')).toEqual({ 'f:spec': { 'f:replicas': {} } })
    expect(owners(applied)).toEqual(['me Apply', 'a Update 2026-11-21T08:00:00Z'])
  })

  it('refuses to change what others own, and names each field', () => {
    const live = write(write(null, full, by('a')), { ...full, spec: { ...(full['spec'] as JsonObject), paused: true } }, by('b'))
    expect(statusOf(() => apply(live, deployment({ replicas: 5 }), by('me')))).toMatchObject({
      code: 409,
      reason: 'Conflict',
      message: 'Apply failed with 1 conflict: conflict with "a" using apps/v1: .spec.replicas',
      details: { causes: [{ reason: 'FieldManagerConflict', message: 'conflict with "a" using apps/v1', field: '.spec.replicas' }] },
    })
    const both = deployment({ replicas: 5, paused: false, strategy: { type: 'Recreate' } })
    expect(statusOf(() => apply(live, both, by('me'))).message).toBe(
      'Apply failed with 3 conflicts: conflicts with "a" using apps/v1:\n- .spec.replicas\n- .spec.strategy.type\nconflicts with "b" using apps/v1:\n- .spec.paused',
    )
    expect(apply(live, both, by('me'), true)).toMatchObject({ spec: { replicas: 5, strategy: { type: 'Recreate' } } })
  })

  it('names appliers and subresources in conflicts', () => {
    const live = apply(null, config, by('other'))
    expect(statusOf(() => apply(live, deployment({ replicas: 5 }), by('me'))).message).toBe(
      'Apply failed with 1 conflict: conflict with "other": .spec.replicas',
    )
    const scaled = write(live, { ...live, spec: { ...(live['spec'] as JsonObject), replicas: 4 } }, by('hpa', undefined, 'scale'))
    expect(statusOf(() => apply(scaled, deployment({ replicas: 5 }), by('me'))).message).toBe(
      'Apply failed with 1 conflict: conflict with "hpa" with subresource "scale" using apps/v1: .spec.replicas',
    )
  })

  it('counts what was there before ownership was tracked as somebody else’s', () => {
    const applied = apply(codec.decode(full).object, deployment({ paused: true }), by('me'))
    expect(owners(applied)).toEqual(['me Apply 2026-11-21T08:00:00Z', 'before-first-apply Update 2026-11-21T08:00:00Z'])
    expect(statusOf(() => apply(codec.decode(full).object, deployment({ replicas: 9 }), by('me'))).message).toMatch(/before-first-apply/)
  })

  it('removes what it applied before', () => {
    const before = apply(null, deployment({ replicas: 2, paused: true }, { labels: { a: 'b' } }), by('me'))
    const after = apply(before, deployment({ replicas: 2 }), by('me', '2026-11-21T09:00:00Z'))
    expect(after).toMatchObject({ spec: { replicas: 2 } })
    expect(JSON.stringify(after)).not.toMatch(/paused|labels/)
  })

  it.each<[string, JsonObject, string]>([
    [
      'unknown fields',
      deployment({ foo: 1 }),
      'failed to create typed patch object (default/web; apps/v1, Kind=Deployment): .spec.foo: field not declared in schema',
    ],
    [
      'wrong types, all of them',
      deployment({
        replicas: 'x',
        template: { spec: { containers: [{ name: 'a', image: 5 }], volumes: {}, hostNetwork: 'yes', nodeSelector: [] } },
      }),
      `failed to create typed patch object (default/web; apps/v1, Kind=Deployment): errors:
  .spec.replicas: expected numeric (int or float), got string
  .spec.template.spec.containers[name="a"].image: expected string, got &value.valueUnstructured{Value:5}
  .spec.template.spec.volumes: expected list, got &{map[]}
  .spec.template.spec.hostNetwork: expected boolean, got &{yes}
  .spec.template.spec.nodeSelector: expected map, got &{[]}`,
    ],
    [
      'items that are there twice',
      deployment({ template: { spec: { containers: [{ name: 'a' }, { name: 'a' }] } } }),
      'failed to create typed patch object (default/web; apps/v1, Kind=Deployment): .spec.template.spec.containers: duplicate entries for key [name="a"]',
    ],
    ['ownership in the configuration', deployment({}, { managedFields: [] }), 'metadata.managedFields must be nil'],
  ])('refuses %s', (_what, bad, message) => {
    expect(statusOf(() => apply(null, bad, by('me')))).toMatchObject({ code: 400, message })
  })

  it('says where a value of the right shape is none of the type', () => {
    const bad = deployment({ template: { spec: { containers: [{ name: 'a', resources: { limits: { cpu: 'much' } } }] } } })
    expect(statusOf(() => apply(null, bad, by('me'))).message).toMatch(
      /^failed to convert new typed object \(default\/web; apps\/v1, Kind=Deployment\) to object: quantities must match/,
    )
  })

  describe('by kubectl, onto what client-side apply made', () => {
    const original = deployment({ replicas: 1 })
    const annotated = (spec: JsonObject = {}) =>
      deployment({ ...(original['spec'] as JsonObject), ...spec }, { annotations: { [LAST_APPLIED]: `${JSON.stringify(original)}\n` } })
    const live = write(null, annotated(), by('kubectl-client-side-apply'))

    it('takes over what the annotation shows to be its own, and brings the annotation up to date', () => {
      const applied = apply(live, deployment({ replicas: 3 }), by('kubectl'))
      expect(applied).toMatchObject({ spec: { replicas: 3 } })
      expect(metaOf(applied).annotations).toEqual({ [LAST_APPLIED]: `${JSON.stringify(deployment({ replicas: 3 }))}\n` })
    })

    it('still conflicts where somebody else changed the field since', () => {
      const scaled = write(live, { ...live, spec: { ...(live['spec'] as JsonObject), replicas: 7 } }, by('hpa'))
      expect(statusOf(() => apply(scaled, deployment({ replicas: 3 }), by('kubectl'))).message).toBe(
        'Apply failed with 1 conflict: conflict with "hpa" using apps/v1: .spec.replicas',
      )
    })

    it('conflicts for any other manager', () => {
      expect(statusOf(() => apply(live, deployment({ replicas: 3 }), by('flux'))).code).toBe(409)
    })

    it('drops an annotation that would be too large', () => {
      const big = deployment({ replicas: 1 }, { annotations: { big: 'x'.repeat(200_000) } })
      const applied = apply(live, big, by('kubectl'))
      expect(Object.keys(metaOf(applied).annotations ?? {})).toEqual(['big'])
    })
  })
})
