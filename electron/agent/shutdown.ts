import { execFile } from 'node:child_process'
import { promisify } from 'node:util'

/** Whether the whole machine is going down, and not only this program. Without systemd nobody tells. */
export async function isShuttingDown(serviceManager: 'systemd' | 'none'): Promise<boolean> {
  if (serviceManager !== 'systemd') return false
  try {
    const { stdout } = await promisify(execFile)('systemctl', ['is-system-running'])
    return stdout.trim() === 'stopping'
  } catch (error) {
    // It ends with a failure for every state but "running", and says which.
    const stdout = typeof error === 'object' && error !== null && 'stdout' in error ? String(error.stdout) : ''
    return stdout.trim() === 'stopping'
  }
}
