import { describe, expect, it } from 'vitest'
import { container, shown, testPod, type Loose } from '../../../testing/objects.ts'
import { containerShouldRestart, validatePodStatusUpdate } from './status.ts'

const ended = (exitCode = 0) => ({ name: 'app', state: { terminated: { exitCode } } })
const running = { name: 'app', state: { running: {} } }

describe('a status', () => {
  const cases: [what: string, status: Loose, errors: string[], old?: Loose, spec?: Loose][] = [
    ['an ordinary one', { phase: 'Running', podIP: '10.0.0.1', containerStatuses: [running] }, []],
    [
      'a condition that is no name',
      { conditions: [{ type: 'a b', status: 'True', observedGeneration: -1 }] },
      [
        'status.conditions[0].observedGeneration: Invalid value: -1: must be a non-negative integer',
        "status.conditions[0].Type: Invalid value: \"a b\": name part must consist of alphanumeric characters, '-', '_' or '.', and must start and end with an alphanumeric character (e.g. 'MyName',  or 'my.name',  or '123-abc', regex used for validation is '([A-Za-z0-9][-A-Za-z0-9_.]*)?[A-Za-z0-9]')",
      ],
    ],
    [
      'another class of service',
      { qosClass: 'Guaranteed' },
      ['status.qosClass: Invalid value: "Guaranteed": field is immutable'],
      { qosClass: 'BestEffort' },
    ],
    ['an ended container that may run again', { containerStatuses: [running] }, [], { containerStatuses: [ended(1)] }],
    [
      'an ended container that may not',
      { containerStatuses: [running] },
      ['status.containerStatuses[0].state: Forbidden: may not be transitioned to non-terminated state'],
      { containerStatuses: [ended(0)] },
      { restartPolicy: 'OnFailure' },
    ],
    [
      'three addresses',
      { podIPs: [{ ip: '10.0.0.1' }, { ip: '10.0.0.2' }] },
      ['status.podIPs: Invalid value: [{"ip":"10.0.0.1"},{"ip":"10.0.0.2"}]: may specify no more than one IP for each IP family'],
    ],
    ['two of different families', { podIPs: [{ ip: '10.0.0.1' }, { ip: 'fd00::1' }] }, []],
    [
      'an address that is none',
      { podIP: '10.0.0' },
      ['status.podIPs[0]: Invalid value: "10.0.0": must be a valid IP address, (e.g. 10.9.8.7 or 2001:db8::ffff)'],
    ],
    [
      'addresses of the host that contradict each other',
      { hostIP: '10.0.0.1', hostIPs: [{ ip: '10.0.0.2' }] },
      ['status.hostIPs[0].ip: Invalid value: "10.0.0.2": must be equal to `hostIP`'],
    ],
    [
      'a nominated node for a bound pod',
      { nominatedNodeName: 'n' },
      ['status.nominatedNodeName: Forbidden: may not be set on pods that are already bound to a node'],
      {},
      { nodeName: 'm' },
    ],
  ]
  it.each(cases)('%s', (_, status, errors, old = {}, spec = {}) => {
    const [pod, before] = [testPod(spec, {}, status), testPod(spec, {}, old)]
    expect(shown(validatePodStatusUpdate(pod, before))).toEqual(errors)
  })
})

describe('whether a container runs again', () => {
  const rules = [
    { action: 'Restart', exitCodes: { operator: 'In', values: [42] } },
    { action: 'Restart', exitCodes: { operator: 'NotIn', values: [1, 42] } },
  ]
  it.each([
    ['Always', {}, 0, true],
    ['OnFailure', {}, 0, false],
    ['OnFailure', {}, 1, true],
    ['Never', {}, 1, false],
    ['Always', { restartPolicy: 'Never' }, 1, false],
    ['Never', { restartPolicy: 'Never', restartPolicyRules: rules }, 42, true],
    ['Never', { restartPolicy: 'Never', restartPolicyRules: rules }, 1, false],
    ['Never', { restartPolicy: 'Never', restartPolicyRules: rules }, 7, true],
  ])('%s, %j, exit code %i: %s', (restartPolicy, more, exitCode, again) => {
    const { spec } = testPod({ restartPolicy, containers: [container(more)] })
    const [app] = spec.containers
    expect(app && containerShouldRestart(app, spec, exitCode)).toBe(again)
  })
})
