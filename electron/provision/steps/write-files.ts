import { dirname } from 'node:path'
import { quote } from '../quote.ts'
import { requireSuccess, type Shell } from '../ssh/exec.ts'

export interface RemoteFile {
  readonly path: string
  readonly content: string
  /** Octal. */
  readonly mode: number
}

/**
 * Writes small text files, each atomically, in one round trip. The script goes to the machine's shell as input and not as an argument:
 * what is in it is in no list of processes. It is read whole before it does anything, so that a broken connection changes nothing.
 */
export async function writeFiles(shell: Shell, files: readonly RemoteFile[], signal?: AbortSignal): Promise<void> {
  const body = files.map(({ path, content, mode }) => {
    const part = `${path}.new`
    const end = delimiter(content)
    return `(umask 022; mkdir -p ${quote(dirname(path))}) || return 1
cat > ${quote(part)} <<'${end}' || return 1
${content.endsWith('\n') ? content : `${content}\n`}${end}
chmod ${mode.toString(8)} ${quote(part)} && mv -f ${quote(part)} ${quote(path)} || return 1`
  })
  const script = `write_files() {\numask 077\n${body.join('\n')}\n}\nwrite_files\n`
  requireSuccess(await shell.exec('exec sh -s', { stdin: script, signal, timeoutMs: 180_000 }), 'Could not write the configuration.')
}

/** A line that is not in the text. */
function delimiter(content: string): string {
  let end = 'END'
  while (content.split('\n').includes(end)) end += '_'
  return end
}
