/** What flow control says of itself: metrics under upstream's names, and the tables of its debug paths. */
import type { MetricFamily, MetricSource } from '../metrics/metrics.ts'
import type { RequestHandler } from '../types.ts'
import { textResponse } from '../http/response.ts'
import type { Lane } from './flow.ts'
import type { Levels } from './levels.ts'
import type { PriorityLevel } from './priority-level.ts'

const PREFIX = 'apiserver_flowcontrol_'

export function flowMetrics(levels: Levels): MetricSource {
  const ofLevels = (name: string, help: string, read: (level: PriorityLevel) => number): MetricFamily => ({
    name: PREFIX + name,
    help,
    type: 'gauge',
    samples: levels.all.map((level) => [{ priority_level: level.name }, read(level)] as const),
  })
  const labelsOf = ({ schema, level }: Lane) => ({ flow_schema: schema.metadata.name, priority_level: level.name })
  const ofLanes = (name: string, help: string, type: 'counter' | 'gauge', read: (lane: Lane) => number): MetricFamily => ({
    name: PREFIX + name,
    help,
    type,
    samples: levels.classifier.lanes.map((lane) => [labelsOf(lane), read(lane)] as const),
  })
  const used = () => levels.classifier.lanes.filter(({ statistics }) => statistics.dispatched > 0 || statistics.refused.size > 0)
  return () => [
    ofLanes('dispatched_requests_total', 'Requests that were served.', 'counter', ({ statistics }) => statistics.dispatched),
    {
      name: `${PREFIX}rejected_requests_total`,
      help: 'Requests that were refused, by the reason.',
      type: 'counter',
      samples: used().flatMap((lane) => [...lane.statistics.refused].map(([reason, n]) => [{ ...labelsOf(lane), reason }, n] as const)),
    },
    ofLanes('current_inqueue_requests', 'Requests that wait.', 'gauge', ({ statistics }) => statistics.waiting),
    ofLanes('current_executing_requests', 'Requests that are being served.', 'gauge', ({ statistics }) => statistics.executing),
    ofLanes('current_executing_seats', 'Seats that these take.', 'gauge', ({ statistics }) => statistics.seats),
    {
      name: `${PREFIX}request_wait_duration_seconds`,
      help: 'How long requests waited, by whether they were served.',
      type: 'histogram',
      samples: used().flatMap((lane) =>
        (['true', 'false'] as const).map((execute) => [{ ...labelsOf(lane), execute }, lane.statistics.waits[execute]] as const),
      ),
    },
    {
      name: `${PREFIX}request_execution_seconds`,
      help: 'How long requests took once they were served; of watches until they began.',
      type: 'histogram',
      samples: used().map((lane) => [labelsOf(lane), lane.statistics.executions] as const),
    },
    ofLevels('nominal_limit_seats', 'Seats of a level by its shares.', ({ limits }) => limits.nominal),
    ofLevels('lower_limit_seats', 'Seats that it never lends.', ({ limits }) => limits.min),
    ofLevels('upper_limit_seats', 'The most that it can have with what it borrows.', ({ limits }) => limits.max),
    ofLevels('current_limit_seats', 'Seats that it has now.', ({ current }) => current),
    ofLevels('demand_seats_smoothed', 'Seats that it wants, smoothed.', ({ demand }) => demand.smooth),
    ofLevels('demand_seats_high_watermark', 'The most at once in the last period.', ({ name }) => levels.demands.get(name)?.high ?? 0),
    ofLevels('demand_seats_average', 'On average in the last period.', ({ name }) => levels.demands.get(name)?.average ?? 0),
    ofLevels('demand_seats_stdev', 'Its standard deviation.', ({ name }) => levels.demands.get(name)?.deviation ?? 0),
    {
      name: `${PREFIX}seat_fair_frac`,
      help: 'What each level gets of what it wants.',
      type: 'gauge',
      samples: [[{}, levels.fraction]],
    },
  ]
}

const DEBUG = '/debug/api_priority_and_fairness/'

export function debugHandlers(levels: Levels, now: () => number): Readonly<Record<string, RequestHandler>> {
  return {
    [`${DEBUG}dump_priority_levels`]: async () => table(priorityLevels(levels)),
    [`${DEBUG}dump_queues`]: async () => table(queues(levels)),
    [`${DEBUG}dump_requests`]: async () => table(requests(levels, now())),
  }
}

function priorityLevels(levels: Levels): string[][] {
  const head = [
    ...['PriorityLevelName', 'ActiveQueues', 'IsIdle', 'IsQuiescing', 'WaitingRequests', 'ExecutingRequests'],
    ...['DispatchedRequests', 'RejectedRequests', 'TimedoutRequests', 'CancelledRequests'],
  ]
  const rows = levels.all.map((level) => {
    const lanes = levels.classifier.lanes.filter((lane) => lane.level === level)
    const sum = (read: (lane: Lane) => number) => lanes.reduce((total, lane) => total + read(lane), 0)
    const refused = (...reasons: ('queue-full' | 'concurrency-limit' | 'time-out' | 'cancelled')[]) =>
      sum(({ statistics }) => reasons.reduce((total, reason) => total + (statistics.refused.get(reason) ?? 0), 0))
    const executing = sum(({ statistics }) => statistics.executing)
    const active = [...level.queues.dump()].length
    const counts = [level.queues.waiting, executing, sum(({ statistics }) => statistics.dispatched)]
    const lost = [refused('queue-full', 'concurrency-limit'), refused('time-out'), refused('cancelled')]
    return [level.name, active, executing === 0 && active === 0, false, ...counts, ...lost].map(String)
  })
  return [head, ...rows]
}

function queues(levels: Levels): string[][] {
  const head = ['PriorityLevelName', 'Index', 'PendingRequests', 'ExecutingRequests', 'SeatsInUse', 'NextDispatchR']
  const rows = levels.all.flatMap((level) =>
    [...level.queues.dump()].map(({ index, waiting, executing, seats, virtualStart }) =>
      [level.name, index, waiting, executing, seats, `${(virtualStart / 1000).toFixed(8)}ss`].map(String),
    ),
  )
  return [head, ...rows]
}

/** `now` is of the clock that the queues go by. */
function requests(levels: Levels, now: number): string[][] {
  const head = ['PriorityLevelName', 'QueueIndex', 'RequestIndexInQueue', 'WaitedSeconds']
  const rows = levels.all.flatMap((level) =>
    [...level.queues.dump()].flatMap(({ index, since }) =>
      since.map((then, i) => [level.name, index, i, ((now - then) / 1000).toFixed(3)].map(String)),
    ),
  )
  return [head, ...rows]
}

function table(rows: readonly (readonly string[])[]) {
  const widths = (rows[0] ?? []).map((_, i) => Math.max(...rows.map((row) => (row[i] ?? '').length)) + 2)
  const lines = rows.map((row) => row.map((cell, i) => (i === row.length - 1 ? cell : `${cell},`.padEnd(widths[i] ?? 0))).join(''))
  return textResponse(200, `${lines.join('\n')}\n`)
}
