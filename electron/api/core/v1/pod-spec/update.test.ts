import { describe, expect, it } from 'vitest'
import { container, shown, testPod, type Loose } from '../../../testing/objects.ts'
import type { Pod } from '../types.gen.ts'
import { validatePodUpdate } from './update.ts'

const ALLOWED =
  '`spec.containers[*].image`,`spec.initContainers[*].image`,`spec.activeDeadlineSeconds`,`spec.tolerations` (only additions to existing tolerations),`spec.terminationGracePeriodSeconds` (allow it to be set to 1 if it was previously negative)'

function change(old: Pod, edit: (pod: Pod) => void): string[] {
  const pod = structuredClone(old)
  edit(pod)
  return shown(validatePodUpdate(pod, old))
}

describe('an update of a pod', () => {
  const allowed: [what: string, edit: (pod: Pod) => void, old?: Loose][] = [
    ['nothing', () => undefined],
    ['labels', ({ metadata }) => (metadata.labels = { a: 'b' })],
    ['an image', ({ spec }) => Object.assign(spec.containers[0] ?? {}, { image: 'b:2' })],
    ['a first deadline', ({ spec }) => (spec.activeDeadlineSeconds = 5)],
    ['a shorter deadline', ({ spec }) => (spec.activeDeadlineSeconds = 5), { activeDeadlineSeconds: 6 }],
    ['one more toleration', ({ spec }) => (spec.tolerations = [{ key: 'a', operator: 'Exists' }])],
    ['a gate gone', ({ spec }) => delete spec.schedulingGates, { schedulingGates: [{ name: 'a' }] }],
    ['a narrower node selector while gated', ({ spec }) => (spec.nodeSelector = { a: 'b' }), { schedulingGates: [{ name: 'a' }] }],
    ['one second instead of less than none', ({ spec }) => (spec.terminationGracePeriodSeconds = 1), { terminationGracePeriodSeconds: -1 }],
  ]
  it.each(allowed)('may bring %s', (_, edit, old = {}) => {
    expect(change(testPod(old), edit)).toEqual([])
  })

  const refused: [what: string, edit: (pod: Pod) => void, errors: string[], old?: Loose][] = [
    [
      'another container',
      ({ spec }) => spec.containers.push(...testPod().spec.containers),
      ['spec.containers: Forbidden: pod updates may not add or remove containers'],
    ],
    ['no image', ({ spec }) => Object.assign(spec.containers[0] ?? {}, { image: '' }), ['spec.containers[0].image: Required value']],
    [
      'a longer deadline',
      ({ spec }) => (spec.activeDeadlineSeconds = 7),
      ['spec.activeDeadlineSeconds: Invalid value: 7: must be less than or equal to previous value'],
      { activeDeadlineSeconds: 6 },
    ],
    [
      'no deadline any more',
      ({ spec }) => delete spec.activeDeadlineSeconds,
      ['spec.activeDeadlineSeconds: Invalid value: null: must not update from a positive integer to nil value'],
      { activeDeadlineSeconds: 6 },
    ],
    [
      'a toleration gone',
      ({ spec }) => delete spec.tolerations,
      ['spec.tolerations: Forbidden: existing toleration can not be modified except its tolerationSeconds'],
      { tolerations: [{ key: 'a', operator: 'Exists' }] },
    ],
    [
      'a new gate',
      ({ spec }) => (spec.schedulingGates = [{ name: 'b' }]),
      ["spec.schedulingGates[0].name: Forbidden: only deletion is allowed, but found new scheduling gate 'b'"],
    ],
    [
      'a wider node selector while gated',
      ({ spec }) => (spec.nodeSelector = { a: 'c' }),
      ['spec.nodeSelector: Invalid value: {"a":"c"}: only additions to spec.nodeSelector are allowed (no mutations or deletions)'],
      { schedulingGates: [{ name: 'a' }], nodeSelector: { a: 'b' } },
    ],
    [
      'AppArmor annotations',
      ({ metadata }) => (metadata.annotations = { 'container.apparmor.security.beta.kubernetes.io/app': 'unconfined' }),
      ['metadata.annotations[container.apparmor.security.beta.kubernetes.io/app]: Forbidden: may not add AppArmor annotations'],
    ],
  ]
  it.each(refused)('may not bring %s', (_, edit, errors, old = {}) => {
    expect(change(testPod(old), edit)).toEqual(errors)
  })

  it('shows what else it would change', () => {
    const errors = change(testPod({ containers: [container()], hostname: 'a' }), ({ spec }) => (spec.hostname = 'b'))
    expect(errors).toHaveLength(1)
    const [head, ...diff] = (errors[0] ?? '').split('\n')
    expect(head).toBe(`spec: Forbidden: pod updates may not change fields other than ${ALLOWED}`)
    expect(diff.filter((line) => /^[-+]/.test(line))).toEqual(['- "hostname": "a",', '+ "hostname": "b",'])
  })
})
