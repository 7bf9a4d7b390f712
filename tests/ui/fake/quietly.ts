import { hasReason } from '../../../electron/machinery/status.ts'

/** What was read may be old by the time it is written: the next round sees it as it is. */
export async function quietly(write: () => Promise<unknown>): Promise<void> {
  try {
    await write()
  } catch (error) {
    if (!hasReason(error, 'Conflict', 'NotFound', 'AlreadyExists', 'Forbidden')) throw error
  }
}
