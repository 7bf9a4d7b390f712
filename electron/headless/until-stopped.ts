import { aborted } from '../base/async.ts'
import type { OwnPlane } from './session.ts'

/** Returns when the signal aborts; throws when the plane ended by itself. */
export async function untilStopped(plane: OwnPlane, signal: AbortSignal): Promise<void> {
  const stopped = aborted(signal).catch(() => null)
  const crash = await Promise.race([stopped, plane.crashed])
  if (crash) throw crash
}
