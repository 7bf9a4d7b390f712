import { describe, expect, it } from 'vitest'
import { container, shown, testPod, type Loose } from '../../../testing/objects.ts'
import { validateNewPod } from './pod.ts'

describe('probes and hooks', () => {
  const cases: [what: string, more: Loose, errors: string[], spec?: Loose][] = [
    [
      'one of each kind',
      {
        livenessProbe: { httpGet: { port: 'web' } },
        readinessProbe: { tcpSocket: { port: 80 } },
        startupProbe: { grpc: { port: 80, service: '' } },
        ports: [{ name: 'web', containerPort: 80 }],
        lifecycle: { postStart: { exec: { command: ['x'] } }, preStop: { sleep: { seconds: 5 } } },
      },
      [],
    ],
    [
      'no handler',
      { livenessProbe: {}, lifecycle: { preStop: {} } },
      ['lifecycle.preStop: Required value: must specify a handler type', 'livenessProbe: Required value: must specify a handler type'],
    ],
    [
      'two handlers',
      { livenessProbe: { exec: { command: ['x'] }, tcpSocket: { port: 1 } } },
      ['livenessProbe.tcpSocket: Forbidden: may not specify more than 1 handler type'],
    ],
    ['no command', { livenessProbe: { exec: {} } }, ['livenessProbe.exec.command: Required value']],
    [
      'a port that is none',
      { livenessProbe: { httpGet: { port: 0 } } },
      ['livenessProbe.httpGet.port: Invalid value: 0: must be between 1 and 65535, inclusive'],
    ],
    [
      'an unknown scheme and a bad header',
      { livenessProbe: { httpGet: { port: 1, scheme: 'FTP', httpHeaders: [{ name: 'a b', value: '' }] } } },
      [
        'livenessProbe.httpGet.scheme: Unsupported value: "FTP": supported values: "HTTP", "HTTPS"',
        "livenessProbe.httpGet.httpHeaders: Invalid value: \"a b\": a valid HTTP header must consist of alphanumeric characters or '-' (e.g. 'X-Header-Name', regex used for validation is '[-A-Za-z0-9]+')",
      ],
    ],
    [
      'numbers below zero',
      { readinessProbe: { exec: { command: ['x'] }, initialDelaySeconds: -1, periodSeconds: -2 } },
      [
        'readinessProbe.initialDelaySeconds: Invalid value: -1: must be greater than or equal to 0',
        'readinessProbe.periodSeconds: Invalid value: -2: must be greater than or equal to 0',
      ],
    ],
    [
      'more than one success to be alive',
      { livenessProbe: { exec: { command: ['x'] }, successThreshold: 2 } },
      ['livenessProbe.successThreshold: Invalid value: 2: must be 1'],
    ],
    [
      'a grace period where nothing is ended',
      { readinessProbe: { exec: { command: ['x'] }, terminationGracePeriodSeconds: 5 } },
      ['readinessProbe.terminationGracePeriodSeconds: Invalid value: 5: must not be set for readinessProbes'],
    ],
    [
      'a sleep longer than the grace period',
      { lifecycle: { preStop: { sleep: { seconds: 31 } } } },
      ['lifecycle.preStop.sleep: Invalid value: 31: must be non-negative and less than terminationGracePeriodSeconds (30)'],
    ],
    [
      'a stop signal for a pod of no known system',
      { lifecycle: { stopSignal: 'SIGTERM' } },
      ['lifecycle.stopSignal: Forbidden: may not be set for containers with empty `spec.os.name`'],
    ],
  ]
  it.each(cases)('%s', (_, more, errors, spec = {}) => {
    const pod = testPod({ ...spec, containers: [container(more)] })
    expect(shown(validateNewPod(pod))).toEqual(errors.map((error) => `spec.containers[0].${error}`))
  })
})
