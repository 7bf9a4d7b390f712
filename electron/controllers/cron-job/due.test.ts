import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import type { CronJob, CronJobSpec } from '../../api/batch/v1/types.gen.ts'
import { formatTime } from '../../api/values/time.ts'
import { dueRun, untilNext } from './due.ts'
import { parseSchedule } from './schedule.ts'

const cronJob = (last: number, spec: Partial<CronJobSpec> = {}) =>
  ({ metadata: { creationTimestamp: formatTime(last) }, spec, status: {} }) as unknown as CronJob

const SCHEDULES = ['* * * * *', '*/7 * * * *', '30 6-16/4 * * 1-5', '0 0 1 * *', '15 3 * * sun', '@every 7m', '@daily']

describe('what is due', () => {
  it('is the last run that was missed, however irregular the schedule and however long the time', () => {
    const start = Date.parse('2026-01-01T00:00:00Z')
    fc.assert(
      fc.property(fc.constantFrom(...SCHEDULES), fc.nat(30 * 86_400), fc.nat(60 * 86_400), (text, first, length) => {
        const schedule = parseSchedule(text)
        const [last, now] = [start + first * 1000, start + (first + length) * 1000]
        let expected: number | null = null
        for (let next = schedule.next(last); next !== null && next <= now; next = schedule.next(next)) expected = next
        expect(dueRun(cronJob(last), schedule, now).run).toBe(expected)
        const next = schedule.next(expected ?? last)
        expect(untilNext(cronJob(last), schedule, now)).toBe((next ?? 0) + 100 - now)
      }),
      { seed: 9, numRuns: 150 },
    )
  })

  it('is nothing that is older than the deadline or than a change of the schedule', () => {
    const schedule = parseSchedule('0 * * * *')
    const last = Date.parse('2026-01-01T00:10:00Z')
    const now = Date.parse('2026-01-01T05:10:00Z')
    expect(dueRun(cronJob(last, { startingDeadlineSeconds: 500 }), schedule, now).run).toBeNull()
    expect(dueRun(cronJob(last, { startingDeadlineSeconds: 700 }), schedule, now).run).toBe(Date.parse('2026-01-01T05:00:00Z'))
    expect(dueRun(cronJob(last), schedule, now, now - 60_000).run).toBeNull()
  })

  it('is told of when more than a hundred runs were missed', () => {
    const last = Date.parse('2026-01-01T00:00:00Z')
    const missed = (minutes: number) => dueRun(cronJob(last), parseSchedule('* * * * *'), last + minutes * 60_000).tooManyMissed
    expect([missed(90), missed(110)]).toEqual([false, true])
  })
})
