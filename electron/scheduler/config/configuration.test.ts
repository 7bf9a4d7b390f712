import { describe, expect, it } from 'vitest'
import { resolveProfile } from '../framework/profile.ts'
import { PLUGINS } from '../plugins/list.ts'
import { schedulerConfiguration } from './configuration.ts'

const document = (more: object) => ({ apiVersion: 'kubescheduler.config.k8s.io/v1', kind: 'KubeSchedulerConfiguration', ...more })

describe('a KubeSchedulerConfiguration', () => {
  it('that says nothing is the default profile', () => {
    expect(schedulerConfiguration(document({}))).toEqual({ profiles: [{}], extenders: [] })
  })

  it('makes a profile of its plugins, weights and arguments', () => {
    const { profiles } = schedulerConfiguration(
      document({
        percentageOfNodesToScore: 70,
        profiles: [
          { schedulerName: 'default-scheduler' },
          {
            schedulerName: 'packing',
            percentageOfNodesToScore: 20,
            plugins: {
              multiPoint: { disabled: [{ name: 'ImageLocality' }] },
              score: { enabled: [{ name: 'NodeResourcesFit', weight: 7 }] },
            },
            pluginConfig: [
              {
                name: 'NodeResourcesFit',
                args: { kind: 'NodeResourcesFitArgs', scoringStrategy: { type: 'MostAllocated', resources: [] } },
              },
            ],
          },
        ],
      }),
    )
    const [first, packing] = profiles.map((profile) => resolveProfile(profile, PLUGINS))
    expect([first?.schedulerName, first?.percentageOfNodesToScore, first?.plugins.length]).toEqual([
      'default-scheduler',
      70,
      PLUGINS.length,
    ])
    const byName = new Map(packing?.plugins.map((plugin) => [plugin.descriptor.name, plugin]))
    expect(packing?.percentageOfNodesToScore).toBe(20)
    expect(byName.has('ImageLocality')).toBe(false)
    expect(byName.get('NodeResourcesFit')).toMatchObject({ weight: 7, args: { scoringStrategy: { type: 'MostAllocated' } } })
    expect(byName.get('NodeResourcesFit')?.args).not.toHaveProperty('kind')
  })

  it('can leave only what it names', () => {
    const multiPoint = { disabled: [{ name: '*' }], enabled: [{ name: 'PrioritySort' }, { name: 'DefaultBinder' }] }
    const { profiles } = schedulerConfiguration(document({ profiles: [{ plugins: { multiPoint } }] }))
    expect(resolveProfile(profiles[0] ?? {}, PLUGINS).plugins.map(({ descriptor }) => descriptor.name)).toEqual([
      'PrioritySort',
      'DefaultBinder',
    ])
  })

  it('names extenders', () => {
    const { extenders } = schedulerConfiguration(
      document({
        extenders: [
          {
            urlPrefix: 'http://127.0.0.1:8080/scheduler/',
            ...{ filterVerb: 'filter', prioritizeVerb: '/score', weight: 3, enableHTTPS: true, httpTimeout: '1m0.5s', ignorable: true },
            managedResources: [{ name: 'example.com/gpu', ignoredByScheduler: true }],
            tlsConfig: { insecure: true, caData: Buffer.from('PEM').toString('base64') },
          },
        ],
      }),
    )
    expect(extenders).toEqual([
      {
        urlPrefix: 'https://127.0.0.1:8080/scheduler',
        ...{ filterVerb: 'filter', prioritizeVerb: 'score', weight: 3, timeout: 60_500, ignorable: true, nodeCacheCapable: false },
        managedResources: [{ name: 'example.com/gpu', ignoredByScheduler: true }],
        tls: { insecure: true, ca: 'PEM' },
      },
    ])
  })

  it.each([
    ['another kind', { kind: 'Other' }, /Write kubescheduler/],
    ['a field it does not know', { podMaxBackoffSeconds: 3 }, /podMaxBackoffSeconds is not understood/],
    ['a plugin that there is not', { profiles: [{ pluginConfig: [{ name: 'Coscheduling' }] }] }, /Coscheduling, which there is not/],
    ['an extension point it cannot change', { profiles: [{ plugins: { filter: {} } }] }, /plugins\.filter is not understood/],
    ['a URL of another scheme', { extenders: [{ urlPrefix: 'ftp://x' }] }, /urlPrefix is ftp/],
    ['a weight of nothing', { extenders: [{ urlPrefix: 'http://x', prioritizeVerb: 'p', weight: 0 }] }, /weight is 0/],
    ['a timeout that is none', { extenders: [{ urlPrefix: 'http://x', httpTimeout: 'soon' }] }, /httpTimeout is soon/],
    [
      'two who bind',
      {
        extenders: [
          { urlPrefix: 'http://x', bindVerb: 'b' },
          { urlPrefix: 'http://y', bindVerb: 'b' },
        ],
      },
      /several extenders/i,
    ],
  ])('is refused by name with %s', (_what, more, message) => {
    expect(() => schedulerConfiguration(document(more))).toThrow(message)
  })
})
