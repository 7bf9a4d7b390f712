/** How many seats a request takes: one, but more for a list of much. Source: apiserver `util/flowcontrol/request/list_work_estimator.go`. */
import type { ApiRequest } from '../types.ts'
import { flag, type RequestInfo } from '../request-info.ts'

const OBJECTS_PER_SEAT = 100
const MOST_SEATS = 10
/** Of a level's own seats. */
const LARGEST_PART = 0.15

/** `count`: how many objects of this resource there are. `nominal`: the level's seats. */
export function seatsOf(
  request: Pick<ApiRequest, 'query'>,
  info: RequestInfo,
  nominal: number,
  count: (info: RequestInfo) => number,
): number {
  if (info.verb !== 'list' && info.verb !== 'watch') return 1
  if (info.name || !info.isResource) return 1
  const { query } = request
  if (info.verb === 'watch' && !flag(query.get('sendInitialEvents'))) return 1
  const stored = count(info)
  if (stored <= OBJECTS_PER_SEAT) return 1
  const limit = Number(query.get('limit') ?? 0)
  const shown = limit > 0 ? Math.min(limit, stored) : stored
  const most = Math.min(MOST_SEATS, Math.max(1, Math.ceil(nominal * LARGEST_PART)))
  return Math.min(most, Math.max(1, Math.ceil(shown / OBJECTS_PER_SEAT)))
}
