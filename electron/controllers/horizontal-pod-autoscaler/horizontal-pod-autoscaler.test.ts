import { describe, expect, it } from 'vitest'
import { deployment as deploymentKind } from '../../api/apps/v1/deployment.ts'
import { horizontalPodAutoscaler as autoscalerKind } from '../../api/autoscaling/v2/horizontal-pod-autoscaler.ts'
import type { HorizontalPodAutoscaler, MetricSpec } from '../../api/autoscaling/v2/types.gen.ts'
import type { Draft } from '../../api/meta/v1/object.ts'
import { findCondition } from '../../machinery/conditions.ts'
import type { Client } from '../../client/client.ts'
import { NAMESPACE, startCluster, type TestCluster } from '../testing/cluster.ts'
import { deploymentOf, template } from '../testing/objects.ts'
import { overrideClient } from '../testing/override-client.ts'

const only = ['horizontal-pod-autoscaler-controller', 'deployment-controller', 'replicaset-controller']
const at = { namespace: NAMESPACE, name: 'web' }

interface Figures {
  /** Thousandths of a core for each pod; null: there are no figures. */
  milliCores: number | null
  /** Of the one object's and external metric. */
  value: string | null
}

/** Stands where metrics APIs would answer. */
function metered(client: Client, figures: Figures, now: () => string): Client {
  return overrideClient(client, {
    async request(request) {
      const { path } = request
      if (!path.includes('metrics.k8s.io')) return client.request(request)
      const pods = await client.request({ method: 'GET', path: `/api/v1/namespaces/${NAMESPACE}/pods` })
      const parts: Uint8Array[] = []
      for await (const part of pods.body) parts.push(part)
      const { items } = JSON.parse(Buffer.concat(parts).toString()) as {
        items: { metadata: { name: string }; status: { phase: string } }[]
      }
      const running = items.filter(({ status }) => status.phase === 'Running')
      const { milliCores, value } = figures
      const one = { timestamp: now(), window: '10s' }
      const answer = path.startsWith('/apis/metrics.k8s.io')
        ? milliCores === null
          ? []
          : running.map(({ metadata }) => ({
              ...one,
              metadata,
              containers: [{ name: 'app', usage: { cpu: `${milliCores}m`, memory: '64Mi' } }],
            }))
        : value === null
          ? []
          : path.includes('/pods/*/')
            ? running.map(({ metadata }) => ({ describedObject: metadata, timestamp: now(), windowSeconds: 10, value }))
            : [{ timestamp: now(), value }]
      const body = Object.assign(ReadableStream.from([Buffer.from(JSON.stringify({ items: answer }))]), {
        [Symbol.asyncDispose]: async () => undefined,
      })
      return { status: 200, headers: {}, body }
    },
  })
}

async function start(): Promise<TestCluster & { figures: Figures }> {
  const figures: Figures = { milliCores: 100, value: null }
  let time = () => ''
  const cluster = await startCluster({
    only,
    hollow: { nodes: 1 },
    wrap: (client) => metered(client, figures, () => time()),
  })
  time = () => new Date(cluster.clock.now()).toISOString()
  return { ...cluster, figures }
}

const cpu = (averageUtilization: number): MetricSpec => ({
  type: 'Resource',
  resource: { name: 'cpu', target: { type: 'Utilization', averageUtilization } },
})
/** Pods request a tenth of a core. */
async function scale(cluster: TestCluster, replicas: number, spec: Draft<HorizontalPodAutoscaler['spec']> = {}) {
  const labels = { app: 'web' }
  const { metadata, spec: podSpec } = template(labels)
  const containers = [{ name: 'app', image: 'app:1', resources: { requests: { cpu: '100m' } } }]
  await cluster.client.create(
    deploymentKind,
    deploymentOf('web', { replicas, template: { metadata: metadata ?? {}, spec: { ...podSpec, containers } } }),
  )
  await cluster.advance(60_000)
  await cluster.client.create(autoscalerKind, {
    metadata: at,
    spec: {
      scaleTargetRef: { apiVersion: 'apps/v1', kind: 'Deployment', name: 'web' },
      minReplicas: 1,
      maxReplicas: 10,
      metrics: [cpu(50)],
      ...spec,
    },
  })
  await cluster.quiet()
}
const replicasOf = async ({ client }: TestCluster) => (await client.get(deploymentKind, at)).spec.replicas
const condition = async ({ client }: TestCluster, type: string) => {
  const found = findCondition((await client.get(autoscalerKind, at)).status.conditions, type)
  return [found?.status, found?.reason, found?.message]
}

describe('an autoscaler', () => {
  it('adds pods where they use more than they should', async () => {
    await using cluster = await start()
    await scale(cluster, 2)
    expect(await replicasOf(cluster)).toBe(4)
    const { status } = await cluster.client.get(autoscalerKind, at)
    expect(status).toMatchObject({
      currentReplicas: 2,
      desiredReplicas: 4,
      currentMetrics: [{ type: 'Resource', resource: { name: 'cpu', current: { averageUtilization: 100, averageValue: '100m' } } }],
      lastScaleTime: expect.any(String),
    })
    expect(await cluster.events('web')).toContain(
      'SuccessfulRescale: New size: 4; reason: cpu resource utilization (percentage of request) above target',
    )
    expect(await condition(cluster, 'ScalingActive')).toEqual([
      'True',
      'ValidMetricFound',
      'the HPA was able to successfully calculate a replica count from cpu resource utilization (percentage of request)',
    ])
    expect(cluster.complaints).toEqual([])
  })

  it('does nothing within a tenth of its target, nor writes', async () => {
    await using cluster = await start()
    cluster.figures.milliCores = 54
    await scale(cluster, 3)
    expect(await replicasOf(cluster)).toBe(3)
    const before = cluster.writes.length
    await cluster.advance(60_000)
    expect(cluster.writes.length).toBe(before)
    expect(await condition(cluster, 'AbleToScale')).toEqual(['True', 'ReadyForNewScale', 'recommended size matches current size'])
    expect(await condition(cluster, 'ScalingLimited')).toEqual([
      'False',
      'DesiredWithinRange',
      'the desired count is within the acceptable range',
    ])
  })

  it('heeds a tolerance of its own', async () => {
    await using cluster = await start()
    cluster.figures.milliCores = 54
    await scale(cluster, 3, { behavior: { scaleUp: { tolerance: '0.05', policies: [{ type: 'Pods', value: 4, periodSeconds: 15 }] } } })
    expect(await replicasOf(cluster)).toBe(4)
  })

  it('takes pods away only after five minutes without a need for them', async () => {
    await using cluster = await start()
    cluster.figures.milliCores = 10
    await scale(cluster, 5)
    expect(await condition(cluster, 'AbleToScale')).toEqual([
      'True',
      'ScaleDownStabilized',
      'recent recommendations were higher than current one, applying the highest recent recommendation',
    ])
    await cluster.advance(285_000)
    expect(await replicasOf(cluster)).toBe(5)
    await cluster.advance(30_000)
    expect(await replicasOf(cluster)).toBe(1)
    expect(await cluster.events('web')).toContain('SuccessfulRescale: New size: 1; reason: All metrics below target')
  })

  it('grows no faster and no further than it may', async () => {
    await using cluster = await start()
    cluster.figures.milliCores = 1000
    const policies = [{ type: 'Pods', value: 2, periodSeconds: 60 }]
    await scale(cluster, 1, { maxReplicas: 4, behavior: { scaleUp: { policies } } })
    expect(await replicasOf(cluster)).toBe(3)
    expect(await condition(cluster, 'ScalingLimited')).toEqual([
      'True',
      'ScaleUpLimit',
      'the desired replica count is increasing faster than the maximum scale rate',
    ])
    await cluster.advance(30_000)
    expect(await replicasOf(cluster)).toBe(3)
    await cluster.advance(60_000)
    expect(await replicasOf(cluster)).toBe(4)
    await cluster.advance(60_000)
    expect(await replicasOf(cluster)).toBe(4)
    expect(await condition(cluster, 'ScalingLimited')).toMatchObject(['True', 'TooManyReplicas', expect.any(String)])
  })

  it('shrinks no faster than it may', async () => {
    await using cluster = await start()
    cluster.figures.milliCores = 1
    const policies = [{ type: 'Percent', value: 50, periodSeconds: 60 }]
    await scale(cluster, 8, { behavior: { scaleDown: { stabilizationWindowSeconds: 0, policies } } })
    expect(await replicasOf(cluster)).toBe(4)
    await cluster.advance(30_000)
    expect(await replicasOf(cluster)).toBe(4)
    await cluster.advance(45_000)
    expect(await replicasOf(cluster)).toBe(2)
  })

  it('leaves a direction alone that is disabled', async () => {
    await using cluster = await start()
    cluster.figures.milliCores = 1
    await scale(cluster, 8, { behavior: { scaleDown: { stabilizationWindowSeconds: 0, selectPolicy: 'Disabled' } } })
    await cluster.advance(60_000)
    expect(await replicasOf(cluster)).toBe(8)
  })

  it('brings the number of pods between its bounds without a metric', async () => {
    await using cluster = await start()
    cluster.figures.milliCores = null
    await scale(cluster, 1, { minReplicas: 3 })
    expect(await replicasOf(cluster)).toBe(3)
    expect(await cluster.events('web')).toContain(
      'SuccessfulRescale: New size: 3; reason: Current number of replicas below Spec.MinReplicas',
    )
  })

  it('rests while what it scales is at zero', async () => {
    await using cluster = await start()
    await scale(cluster, 0)
    expect(await replicasOf(cluster)).toBe(0)
    expect(await condition(cluster, 'ScalingActive')).toEqual([
      'False',
      'ScalingDisabled',
      'scaling is disabled since the replica count of the target is zero',
    ])
  })
})

describe('an autoscaler without figures', () => {
  it('says so, and goes on when there are some', async () => {
    await using cluster = await start()
    cluster.figures.milliCores = null
    await scale(cluster, 2)
    const why = 'failed to get cpu utilization: unable to get metrics for resource cpu: no metrics returned from resource metrics API'
    expect(await condition(cluster, 'ScalingActive')).toEqual([
      'False',
      'FailedGetResourceMetric',
      `the HPA was unable to compute the replica count: ${why}`,
    ])
    expect(await cluster.events('web')).toEqual(
      expect.arrayContaining([
        `FailedGetResourceMetric: ${why}`,
        `FailedComputeMetricsReplicas: invalid metrics (1 invalid out of 1), first error is: ${why}`,
      ]),
    )
    cluster.figures.milliCores = 100
    await cluster.advance(15_000)
    expect(await replicasOf(cluster)).toBe(4)
  })

  it('does not shrink by half of its metrics', async () => {
    await using cluster = await start()
    cluster.figures.milliCores = 1
    const external: MetricSpec = { type: 'External', external: { metric: { name: 'queue' }, target: { type: 'Value', value: '10' } } }
    await scale(cluster, 4, {
      metrics: [cpu(50), external],
      behavior: { scaleDown: { stabilizationWindowSeconds: 0, policies: [{ type: 'Pods', value: 9, periodSeconds: 15 }] } },
    })
    expect(await replicasOf(cluster)).toBe(4)
    expect(await condition(cluster, 'ScalingActive')).toMatchObject(['False', 'FailedGetExternalMetric', expect.any(String)])
    cluster.figures.value = '1'
    await cluster.advance(15_000)
    expect(await replicasOf(cluster)).toBe(1)
  })

  it('names a target that is not there', async () => {
    await using cluster = await start()
    await scale(cluster, 2, { scaleTargetRef: { apiVersion: 'apps/v1', kind: 'Deployment', name: 'none' } })
    const why = 'deployments.apps "none" not found'
    expect(await condition(cluster, 'AbleToScale')).toEqual([
      'False',
      'FailedGetScale',
      `the HPA controller was unable to get the target's current scale: ${why}`,
    ])
    expect(await cluster.events('web')).toContain(`FailedGetScale: ${why}`)
  })
})

describe('other metrics', () => {
  it.each<[what: string, metric: MetricSpec, value: string, replicas: number]>([
    ['of pods', { type: 'Pods', pods: { metric: { name: 'requests' }, target: { type: 'AverageValue', averageValue: '10' } } }, '25', 5],
    [
      'of an object',
      {
        type: 'Object',
        object: {
          metric: { name: 'requests' },
          describedObject: { apiVersion: 'apps/v1', kind: 'Deployment', name: 'web' },
          target: { type: 'Value', value: '100' },
        },
      },
      '300',
      6,
    ],
    [
      'from outside, for each pod',
      { type: 'External', external: { metric: { name: 'queue' }, target: { type: 'AverageValue', averageValue: '30' } } },
      '100',
      4,
    ],
    [
      'of memory, by amount',
      { type: 'Resource', resource: { name: 'memory', target: { type: 'AverageValue', averageValue: '32Mi' } } },
      '0',
      4,
    ],
  ])('%s count as well', async (_what, metric, value, replicas) => {
    await using cluster = await start()
    cluster.figures.value = value
    await scale(cluster, 2, { metrics: [metric] })
    expect(await replicasOf(cluster)).toBe(replicas)
  })
})
