import { describe, expect, it } from 'vitest'
import type { Loose } from '../testing/objects.ts'
import { created, decoded, row, stored } from '../testing/rules.ts'
import { fromStored, toStored } from './v1/conversion.ts'
import { oldHorizontalPodAutoscaler } from './v1/horizontal-pod-autoscaler.ts'
import { horizontalPodAutoscaler } from './v2/horizontal-pod-autoscaler.ts'

const scaleTargetRef = { apiVersion: 'apps/v1', kind: 'Deployment', name: 'web' }
const of = (more: Loose = {}): Loose => ({ spec: { scaleTargetRef, maxReplicas: 5, ...more } })
const pods = { type: 'Pods', pods: { metric: { name: 'requests' }, target: { type: 'AverageValue', averageValue: '10' } } }

describe('an autoscaler', () => {
  it('goes by the CPU, from one pod on', () => {
    const { object, errors } = created(horizontalPodAutoscaler, of({ behavior: { scaleUp: { stabilizationWindowSeconds: 7 } } }))
    expect(errors).toEqual([])
    expect(object.spec).toMatchObject({
      minReplicas: 1,
      metrics: [{ type: 'Resource', resource: { name: 'cpu', target: { type: 'Utilization', averageUtilization: 80 } } }],
      behavior: {
        scaleUp: { stabilizationWindowSeconds: 7, selectPolicy: 'Max', policies: [{ type: 'Pods', value: 4 }, { type: 'Percent' }] },
        scaleDown: { selectPolicy: 'Max', policies: [{ type: 'Percent', value: 100, periodSeconds: 15 }] },
      },
    })
    expect(row(horizontalPodAutoscaler, object)).toMatchObject({
      Reference: 'Deployment/web',
      Targets: 'cpu: <unknown>/80%',
      MinPods: '1',
      MaxPods: 5,
      Replicas: 0,
    })
  })

  it.each<[what: string, spec: Loose, errors: string[]]>([
    [
      'of no pods',
      { maxReplicas: 0, minReplicas: 0 },
      [
        'spec.minReplicas: Invalid value: 0: must be greater than or equal to 1',
        'spec.maxReplicas: Invalid value: 0: must be greater than 0',
      ],
    ],
    ['of less than its least', { minReplicas: 9 }, ['spec.maxReplicas: Invalid value: 5: must be greater than or equal to `minReplicas`']],
    ['of nothing', { scaleTargetRef: { kind: '', name: 'web' } }, ['spec.scaleTargetRef.kind: Required value']],
    [
      'that measures nothing',
      { metrics: [{ type: 'Pods' }] },
      ['spec.metrics[0].pods: Required value: must populate information for the given metric source'],
    ],
    [
      'that may not act',
      { behavior: { scaleDown: { policies: [{ type: 'Pods', value: 0, periodSeconds: 15 }] } } },
      ['spec.behavior.scaleDown.policies[0].value: Invalid value: 0: must be greater than zero'],
    ],
  ])('%s', (_, spec, errors) => {
    expect(created(horizontalPodAutoscaler, of(spec)).errors).toEqual(errors)
  })

  it('is the same in its older shape', () => {
    const cpu = { type: 'Resource', resource: { name: 'cpu', target: { type: 'Utilization', averageUtilization: 50 } } }
    const condition = { type: 'AbleToScale', status: 'True' }
    const status = { desiredReplicas: 2, currentReplicas: 2, conditions: [condition] }
    const made = stored(horizontalPodAutoscaler, { ...of({ metrics: [cpu, pods], behavior: { scaleDown: {} } }), status })
    const old = fromStored(made)
    expect(old.spec).toEqual({ scaleTargetRef, maxReplicas: 5, minReplicas: 1, targetCPUUtilizationPercentage: 50 })
    expect(JSON.parse(old.metadata.annotations?.['autoscaling.alpha.kubernetes.io/metrics'] ?? '')).toEqual([
      { type: 'Pods', pods: { metricName: 'requests', targetAverageValue: '10' } },
    ])
    expect(toStored(old)).toEqual(made)
    expect(row(oldHorizontalPodAutoscaler, old)).toMatchObject({ Targets: 'cpu: <unknown>/50%, <unknown>/10' })
  })

  it('goes by the CPU when its older shape does not say', () => {
    const old = decoded(oldHorizontalPodAutoscaler, of())
    expect(toStored(old).spec.metrics).toEqual([
      { type: 'Resource', resource: { name: 'cpu', target: { type: 'Utilization', averageUtilization: 80 } } },
    ])
  })
})
