import { expect, it } from 'vitest'
import type { Loose } from '../../testing/objects.ts'
import { created, row, stored, updated } from '../../testing/rules.ts'
import { priorityClass } from './priority-class.ts'

const named = (name: string, more: Loose) => ({ metadata: { name }, ...more })
const RESERVED = "metadata.name: Forbidden: priority class names with 'system-' prefix are reserved for system use only. error:"

it.each<[what: string, manifest: Loose, errors: string[]]>([
  ['an ordinary one', { value: 1_000_000_000 }, []],
  ['one below all', { value: -5 }, []],
  ['above the system', { value: 1_000_000_001 }, ['value: Forbidden: maximum allowed value of a user defined priority is 1000000000']],
  ['one of the system', named('system-node-critical', { value: 2_000_001_000 }), []],
  ['one that looks like it', named('system-mine', { value: 1 }), [`${RESERVED} system-mine is not a known system priority class`]],
  [
    'one of the system with another value',
    named('system-cluster-critical', { value: 1 }),
    [`${RESERVED} value of system-cluster-critical PriorityClass must be 2000000000`],
  ],
  [
    'one of the system for all',
    named('system-cluster-critical', { value: 2_000_000_000, globalDefault: true }),
    [`${RESERVED} globalDefault of system-cluster-critical PriorityClass must be false`],
  ],
  [
    'one that preempts somehow',
    { value: 1, preemptionPolicy: 'Some' },
    ['preemptionPolicy: Unsupported value: "Some": supported values: "PreemptLowerPriority", "Never"'],
  ],
])('%s', (_, manifest, errors) => {
  expect(created(priorityClass, manifest).errors).toEqual(errors)
})

it('keeps what pods were given', () => {
  const outcome = updated(priorityClass, stored(priorityClass, { value: 1 }), (object) => {
    Object.assign(object, { value: 2, preemptionPolicy: 'Never', description: 'new', globalDefault: true })
  })
  expect(outcome.errors).toEqual([
    'value: Forbidden: may not be changed in an update.',
    'preemptionPolicy: Invalid value: "Never": field is immutable',
  ])
})

it('is shown with its value', () => {
  expect(row(priorityClass, stored(priorityClass, { value: 7 }))).toEqual({
    Value: 7,
    'Global-Default': false,
    Age: '60m',
    PreemptionPolicy: 'PreemptLowerPriority',
  })
})
