/** What is written: pods of 4 KB, and small objects for watchers. */
export const PODS_PATH = '/api/v1/namespaces/bench/pods'
export const SMALL_PATH = '/api/v1/namespaces/bench/configmaps'

const POD_BYTES = 4096

export function podNamed(i: number): string {
  const pod = {
    apiVersion: 'v1',
    kind: 'Pod',
    metadata: {
      name: `pod-${i}`,
      namespace: 'bench',
      labels: { app: `app-${i % 100}`, tier: 'bench' },
      annotations: { pad: '' },
    },
    spec: {
      automountServiceAccountToken: false,
      containers: Array.from({ length: 2 }, (_, at) => ({
        name: `c${at}`,
        image: 'registry.example/team/service:1.2.3',
        args: ['--port=8080', '--log-level=info'],
        env: Array.from({ length: 8 }, (_, n) => ({ name: `VARIABLE_${n}`, value: `value-of-variable-${n}` })),
        ports: [{ name: 'http', containerPort: 8080 + at }],
        resources: { requests: { cpu: '100m', memory: '128Mi' }, limits: { cpu: '1', memory: '256Mi' } },
        readinessProbe: { httpGet: { path: '/ready', port: 8080 } },
      })),
    },
  }
  pod.metadata.annotations.pad = 'x'.repeat(Math.max(0, POD_BYTES - JSON.stringify(pod).length))
  return JSON.stringify(pod)
}

/** `time` is on the load's own clock. */
export function configMapNamed(i: number, time: number): string {
  return JSON.stringify({
    apiVersion: 'v1',
    kind: 'ConfigMap',
    metadata: { name: `event-${i}` },
    data: { pad: 'x'.repeat(800), t: String(time) },
  })
}
