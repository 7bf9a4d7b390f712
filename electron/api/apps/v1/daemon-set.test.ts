import { describe, expect, it } from 'vitest'
import { container, type Loose } from '../../testing/objects.ts'
import { created, decoded, row, statusUpdated, stored } from '../../testing/rules.ts'
import { daemonSet } from './daemon-set.ts'

const of = (more: Loose = {}, podSpec: Loose = {}, status: Loose = {}): Loose => ({
  spec: {
    selector: { matchLabels: { app: 'web' } },
    template: { metadata: { labels: { app: 'web' } }, spec: { containers: [container()], ...podSpec } },
    ...more,
  },
  status,
})
const rolling = (rollingUpdate: Loose) => ({ updateStrategy: { type: 'RollingUpdate', rollingUpdate } })
const AT = 'spec.updateStrategy.rollingUpdate'

describe('a daemon set', () => {
  it('replaces one pod at a time unless it says otherwise', () => {
    expect(decoded(daemonSet, of()).spec).toMatchObject({
      revisionHistoryLimit: 10,
      updateStrategy: { type: 'RollingUpdate', rollingUpdate: { maxUnavailable: 1, maxSurge: 0 } },
    })
    expect(decoded(daemonSet, of({ updateStrategy: { type: 'OnDelete' } })).spec.updateStrategy).toEqual({ type: 'OnDelete' })
  })

  it.each<[what: string, spec: Loose, errors: string[]]>([
    ['of extra pods', rolling({ maxUnavailable: 0, maxSurge: 1 }), []],
    [
      'of extra and missing pods',
      rolling({ maxUnavailable: 1, maxSurge: '10%' }),
      [`${AT}.maxSurge: Invalid value: "10%": may not be set when maxUnavailable is non-zero`],
    ],
    ['that cannot move', rolling({ maxUnavailable: 0 }), [`${AT}.maxUnavailable: Required value: cannot be 0 when maxSurge is 0`]],
    [
      'that replaces in a way that does not exist',
      { updateStrategy: { type: 'Some' } },
      ['spec.updateStrategy: Unsupported value: {"type":"Some"}: supported values: "RollingUpdate", "OnDelete"'],
    ],
  ])('%s', (_, spec, errors) => {
    expect(created(daemonSet, of(spec)).errors).toEqual(errors)
  })

  it('counts nodes', () => {
    const outcome = statusUpdated(daemonSet, stored(daemonSet, of({}, {}, { collisionCount: 1 })), ({ status }) => {
      Object.assign(status, { numberReady: -1, collisionCount: undefined })
    })
    expect(outcome.errors).toEqual([
      'status.numberReady: Invalid value: -1: must be greater than or equal to 0',
      'status.collisionCount: Invalid value: 0: cannot be decremented',
    ])
  })

  it('is shown with its nodes', () => {
    const status = { desiredNumberScheduled: 3, currentNumberScheduled: 2, numberReady: 1, updatedNumberScheduled: 2, numberAvailable: 1 }
    expect(row(daemonSet, stored(daemonSet, of({}, { nodeSelector: { a: 'b' } }, status)))).toMatchObject({
      Desired: 3,
      Current: 2,
      Ready: 1,
      'Up-to-date': 2,
      Available: 1,
      'Node Selector': 'a=b',
      Age: '60m',
    })
    expect(row(daemonSet, stored(daemonSet, of()))).toMatchObject({ 'Node Selector': '<none>', Available: 0 })
  })
})
