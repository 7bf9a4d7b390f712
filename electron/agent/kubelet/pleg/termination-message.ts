/** What a container wrote to say why it ended. Limits are those of kubernetes `kubelet/container`. */
import { open } from 'node:fs/promises'
import { systemCode } from '../../../base/errors.ts'
import type { ContainerStatus } from '../../runtime/cri-types.ts'
import { parseLogLine } from '../../runtime/log-line.ts'
import { MESSAGE_PATH, MESSAGE_POLICY } from '../pods/names.ts'

const FILE_BYTES = 4096
const LOG_BYTES = 2048
const LOG_LINES = 80

/** From the file that was mounted for it or, with `FallbackToLogsOnError` after a failure, from the end of its log. */
export async function readTerminationMessage(container: ContainerStatus): Promise<string> {
  const path = container.annotations[MESSAGE_PATH]
  if (path === undefined || path === '') return ''
  const mount = container.mounts.find(({ containerPath }) => containerPath === path)
  const fromLog = container.annotations[MESSAGE_POLICY] === 'FallbackToLogsOnError' && container.exitCode !== 0
  try {
    const text = mount ? await readEdge(mount.hostPath, FILE_BYTES, 'start') : ''
    if (text !== '' || !fromLog) return text
  } catch (error) {
    if (systemCode(error) !== 'ENOENT') return `Error on reading termination log ${mount?.hostPath}: ${systemCode(error) ?? String(error)}`
    if (!fromLog) return ''
  }
  return lastWords(await readEdge(container.logPath, 4 * LOG_BYTES + LOG_LINES * 64, 'end').catch(() => ''))
}

/** Texts of the last log lines. */
function lastWords(log: string): string {
  const lines = log.split('\n').slice(0, -1).slice(-LOG_LINES)
  const text = lines.map((line) => parseLogLine(line)).map((line) => (line ? `${line.text}${line.partial ? '' : '\n'}` : ''))
  return Buffer.from(text.join('')).subarray(-LOG_BYTES).toString()
}

async function readEdge(path: string, bytes: number, edge: 'start' | 'end'): Promise<string> {
  await using file = await open(path)
  const { size } = await file.stat()
  const buffer = Buffer.alloc(Math.min(bytes, size))
  const position = edge === 'start' ? 0 : size - buffer.length
  const { bytesRead } = await file.read(buffer, 0, buffer.length, position)
  return buffer.subarray(0, bytesRead).toString()
}
