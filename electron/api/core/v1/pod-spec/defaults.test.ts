import { describe, expect, it } from 'vitest'
import { bare, container, testPod, type Loose } from '../../../testing/objects.ts'
import { podRequests, qosClass } from '../pod-resources.ts'
import { defaultPodTemplate } from './defaults.ts'
import { defaultPod } from './pod-defaults.ts'

describe('defaults of a pod', () => {
  it('fills in what the simplest pod leaves unsaid', () => {
    expect(testPod().spec).toEqual({
      containers: [
        {
          name: 'app',
          image: 'registry.example/app:1',
          imagePullPolicy: 'IfNotPresent',
          resources: {},
          terminationMessagePath: '/dev/termination-log',
          terminationMessagePolicy: 'File',
        },
      ],
      dnsPolicy: 'ClusterFirst',
      enableServiceLinks: true,
      restartPolicy: 'Always',
      schedulerName: 'default-scheduler',
      securityContext: {},
      terminationGracePeriodSeconds: 30,
    })
  })

  it('is the same when it is done again', () => {
    const pod = testPod({
      hostNetwork: true,
      containers: [
        container({ ports: [{ containerPort: 80 }], resources: { limits: { cpu: '1' } }, livenessProbe: { httpGet: { port: 80 } } }),
      ],
      volumes: [{ name: 'a' }, { name: 'b', projected: { sources: [{ serviceAccountToken: { path: 't' } }] } }],
    })
    const again = structuredClone(pod)
    defaultPod(again)
    expect(again).toEqual(pod)
  })

  it.each([
    ['app', 'Always'],
    ['app:latest', 'Always'],
    ['app:1', 'IfNotPresent'],
    ['registry:5000/app', 'Always'],
    [`app@sha256:${'0'.repeat(64)}`, 'IfNotPresent'],
    [`app:latest@sha256:${'0'.repeat(64)}`, 'Always'],
    ['???', 'IfNotPresent'],
  ])('pulls %s: %s', (image, policy) => {
    expect(testPod({ containers: [container({ image })] }).spec.containers[0]?.imagePullPolicy).toBe(policy)
  })

  it('fills in probes and their requests', () => {
    const [app] = testPod({ containers: [container({ livenessProbe: { httpGet: { port: 80 } } })] }).spec.containers
    expect(app?.livenessProbe).toEqual({
      httpGet: { path: '/', port: 80, scheme: 'HTTP' },
      timeoutSeconds: 1,
      periodSeconds: 10,
      successThreshold: 1,
      failureThreshold: 3,
    })
  })

  it('fills in modes, lifetimes and types of volumes', () => {
    const volumes = [
      { name: 'a' },
      { name: 'b', secret: { secretName: 's' } },
      { name: 'c', configMap: { name: 'c', defaultMode: 0 } },
      { name: 'd', hostPath: { path: '/x' } },
      { name: 'e', projected: { sources: [{ serviceAccountToken: { path: 't' } }] } },
      { name: 'f', downwardAPI: { items: [{ path: 'p', fieldRef: { fieldPath: 'metadata.name' } }] } },
    ]
    expect(testPod({ volumes }).spec.volumes).toEqual([
      { name: 'a', emptyDir: {} },
      { name: 'b', secret: { secretName: 's', defaultMode: 420 } },
      { name: 'c', configMap: { name: 'c', defaultMode: 0 } },
      { name: 'd', hostPath: { path: '/x', type: '' } },
      { name: 'e', projected: { sources: [{ serviceAccountToken: { path: 't', expirationSeconds: 3600 } }], defaultMode: 420 } },
      { name: 'f', downwardAPI: { items: [{ path: 'p', fieldRef: { fieldPath: 'metadata.name', apiVersion: 'v1' } }], defaultMode: 420 } },
    ])
  })

  it('takes host ports from ports on the host network', () => {
    const pod = testPod({
      hostNetwork: true,
      containers: [container({ ports: [{ containerPort: 80 }, { containerPort: 81, hostPort: 82 }] })],
    })
    expect(pod.spec.containers[0]?.ports?.map(({ hostPort }) => hostPort)).toEqual([80, 82])
  })

  it('keeps both names of the service account the same', () => {
    expect(testPod({ serviceAccount: 'a' }).spec).toMatchObject({ serviceAccount: 'a', serviceAccountName: 'a' })
    expect(testPod({ serviceAccountName: 'b', serviceAccount: 'a' }).spec).toMatchObject({ serviceAccount: 'b', serviceAccountName: 'b' })
  })

  it.each([
    [{ podIP: '1.2.3.4' }, { podIP: '1.2.3.4', podIPs: [{ ip: '1.2.3.4' }] }],
    [{ podIPs: [{ ip: '1.2.3.4' }, { ip: 'fd00::1' }] }, { podIP: '1.2.3.4', podIPs: [{ ip: '1.2.3.4' }, { ip: 'fd00::1' }] }],
    [
      { podIP: '1.2.3.5', podIPs: [{ ip: '1.2.3.4' }] },
      { podIP: '1.2.3.5', podIPs: [{ ip: '1.2.3.5' }] },
    ],
  ])('keeps the address in both places: %j', (status, expected) => {
    expect(testPod({}, {}, status).status).toEqual(expected)
  })

  it('takes requests from limits, and rounds what is finer than a thousandth up', () => {
    const pod = testPod({ containers: [container({ resources: { limits: { cpu: '100u', memory: '1Gi' }, requests: { memory: '1Mi' } } })] })
    expect(pod.spec.containers[0]?.resources).toEqual({
      limits: { cpu: '1m', memory: '1Gi' },
      requests: { cpu: '1m', memory: '1Mi' },
    })
  })

  it('takes requests of the pod as a whole from its containers, else from its limits', () => {
    const pod = testPod({
      containers: [container({ resources: { requests: { cpu: '1' } } })],
      resources: { limits: { cpu: '4', memory: '1Gi' } },
    })
    expect(pod.spec.resources?.requests).toEqual({ cpu: '1', memory: '1Gi' })
  })

  it('drops annotations that once held init containers', () => {
    expect(testPod({}, { annotations: { 'pod.beta.kubernetes.io/init-containers': '[]', a: 'b' } }).metadata.annotations).toEqual({
      a: 'b',
    })
  })

  it('leaves requests and host ports of templates alone', () => {
    const { spec } = bare({
      hostNetwork: true,
      containers: [container({ ports: [{ containerPort: 80 }], resources: { limits: { cpu: '1' } } })],
    })
    defaultPodTemplate({ metadata: {}, spec })
    expect(spec.containers[0]).toMatchObject({ ports: [{ containerPort: 80 }], resources: { limits: { cpu: '1' } } })
    expect(spec.containers[0]?.ports?.[0]).not.toHaveProperty('hostPort')
    expect(spec).not.toHaveProperty('enableServiceLinks')
  })
})

describe('quality of service', () => {
  const withResources = (...list: Loose[]) => testPod({ containers: list.map((resources, i) => container({ name: `c${i}`, resources })) })
  const both = { cpu: '1', memory: '1Gi' }

  it.each([
    ['nothing', withResources({}), 'BestEffort'],
    ['a device only', withResources({ limits: { 'example.com/gpu': '1' } }), 'BestEffort'],
    ['limits of both', withResources({ limits: both }), 'Guaranteed'],
    ['limits of both in different units', withResources({ limits: both, requests: { cpu: '1000m', memory: '1024Mi' } }), 'Guaranteed'],
    ['a limit of one', withResources({ limits: { cpu: '1' } }), 'Burstable'],
    ['less requested than allowed', withResources({ limits: both, requests: { cpu: '500m', memory: '1Gi' } }), 'Burstable'],
    ['one container without', withResources({ limits: both }, {}), 'Burstable'],
    ['zero', withResources({ requests: { cpu: '0' } }), 'BestEffort'],
  ])('%s', (_, pod, expected) => {
    expect(qosClass(pod)).toBe(expected)
  })

  it('counts init containers at their time and sidecars always', () => {
    const cpu = (name: string, amount: string, more: Loose = {}) => container({ name, resources: { requests: { cpu: amount } }, ...more })
    const { spec } = testPod({
      initContainers: [cpu('side', '1', { restartPolicy: 'Always' }), cpu('big', '3')],
      containers: [cpu('a', '1'), cpu('b', '500m')],
      overhead: { cpu: '250m' },
    })
    expect(podRequests(spec)).toEqual({ cpu: '4250m' })
  })
})
