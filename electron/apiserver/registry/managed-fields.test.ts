import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { horizontalPodAutoscaler, oldHorizontalPodAutoscaler } from '../../api/kinds.gen.ts'
import type { ManagedFieldsEntry } from '../../api/meta/v1/types.gen.ts'
import { startTestServer, type TestServer } from '../testing/harness.ts'

let test: TestServer
beforeEach(async () => {
  test = await startTestServer()
})
afterEach(() => test.stop())

const at = { name: 'a', namespace: 'default' }
const scaleTargetRef = { kind: 'Deployment', name: 'web', apiVersion: 'apps/v1' }
const cpu = (averageUtilization: number) => ({
  type: 'Resource',
  resource: { name: 'cpu', target: { type: 'Utilization', averageUtilization } },
})

const summary = (entries: readonly ManagedFieldsEntry[] | undefined) =>
  (entries ?? []).map(({ manager, apiVersion }) => `${manager} ${apiVersion}`).sort()

const fieldsOf = (entries: readonly ManagedFieldsEntry[] | undefined, manager: string) =>
  JSON.stringify(entries?.find((entry) => entry.manager === manager)?.fieldsV1 ?? null)

describe('the owners of an object that is shown in two shapes', () => {
  const createNew = () =>
    test.client.create(
      horizontalPodAutoscaler,
      { metadata: at, spec: { scaleTargetRef, minReplicas: 2, maxReplicas: 5, metrics: [cpu(50)] } },
      { fieldManager: 'new' },
    )
  const readOld = () => test.client.get(oldHorizontalPodAutoscaler, at)

  it('stay when it is written in the other shape, and nothing changes by writing it as it was read', async () => {
    const made = await createNew()
    await test.client.update(oldHorizontalPodAutoscaler, await readOld(), { fieldManager: 'old' })
    expect(await test.client.get(horizontalPodAutoscaler, at)).toEqual(made)
  })

  it('lose what another changes through the other shape, and only that', async () => {
    await createNew()
    const read = await readOld()
    const changed = { ...read, spec: { ...read.spec, minReplicas: 3, targetCPUUtilizationPercentage: 60 } }
    const { metadata } = await test.client.update(oldHorizontalPodAutoscaler, changed, { fieldManager: 'old' })
    expect(summary(metadata.managedFields)).toEqual(['new autoscaling/v2', 'old autoscaling/v1'])
    expect(fieldsOf(metadata.managedFields, 'new')).toContain('f:maxReplicas')
    expect(fieldsOf(metadata.managedFields, 'new')).not.toMatch(/f:minReplicas|f:metrics/)
    expect(fieldsOf(metadata.managedFields, 'old')).toContain('f:targetCPUUtilizationPercentage')

    const now = await test.client.get(horizontalPodAutoscaler, at)
    const back = { ...now, spec: { ...now.spec, metrics: [cpu(70)] } }
    const after = await test.client.update(horizontalPodAutoscaler, back, { fieldManager: 'new' })
    expect(fieldsOf(after.metadata.managedFields, 'old')).toContain('f:minReplicas')
    expect(fieldsOf(after.metadata.managedFields, 'old')).not.toContain('f:targetCPUUtilizationPercentage')
  })

  it('are asked before an apply in the other shape takes their fields', async () => {
    await createNew()
    const apply = (spec: object, force: boolean) =>
      test.client.patch(
        oldHorizontalPodAutoscaler,
        at,
        { type: 'apply', force, body: { apiVersion: 'autoscaling/v1', kind: 'HorizontalPodAutoscaler', metadata: { name: 'a' }, spec } },
        { fieldManager: 'old' },
      )
    await expect(apply({ minReplicas: 4 }, false)).rejects.toThrow(/conflict.*"new" using autoscaling\/v2.*minReplicas/s)
    const taken = await apply({ minReplicas: 4 }, true)
    expect([taken.spec.minReplicas, summary(taken.metadata.managedFields)]).toEqual([4, ['new autoscaling/v2', 'old autoscaling/v1']])
  })

  it('take away what they applied in one shape and no longer apply in the other', async () => {
    const apply = (kind: typeof horizontalPodAutoscaler | typeof oldHorizontalPodAutoscaler, spec: object) =>
      test.client.patch(
        kind,
        at,
        { type: 'apply', body: { apiVersion: `${kind.group}/${kind.version}`, kind: kind.kind, metadata: { name: 'a' }, spec } },
        { fieldManager: 'me' },
      )
    await apply(oldHorizontalPodAutoscaler, { scaleTargetRef, minReplicas: 2, maxReplicas: 5, targetCPUUtilizationPercentage: 60 })
    const { spec, metadata } = await apply(horizontalPodAutoscaler, { scaleTargetRef, maxReplicas: 5, metrics: [cpu(60)] })
    expect([spec.minReplicas, spec.metrics]).toEqual([1, [cpu(60)]])
    expect(summary(metadata.managedFields)).toEqual(['me autoscaling/v2'])
  })
})
