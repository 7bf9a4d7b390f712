import { execFile } from 'node:child_process'
import { promisify } from 'node:util'
import { describe, expect, it } from 'vitest'
import { afterMark, shellCommand, type ExecOptions } from './exec.ts'

const exec = promisify(execFile)
const AWKWARD = `printf '%s|' "it's \\"fine\\"" 'a\\\\b' 'über !! 100%' "$((1 + 1))"\nif [ 1 = 1 ]; then cat <<'END'\n$HOME \\t\nEND\nfi`

describe('shellCommand', () => {
  it.each(['sh', 'bash'])('gives a script to %s as it is, whatever is in it', async (shell) => {
    const { stdout } = await exec(shell, ['-c', shellCommand(AWKWARD)])
    expect(stdout).toBe('it\'s "fine"|a\\\\b|über !! 100%|2|$HOME \\t\n')
  })

  it('has no line break, "!" or backslash of the script that a login shell could read in its own way', () => {
    const command = shellCommand(AWKWARD)
    expect(command).not.toMatch(/[\n!]/)
    expect(command.replace(/\\[0-7]{3}/g, '')).not.toContain('\\')
    expect(shellCommand('id -u')).toBe("/bin/sh -c 'id -u'")
  })
})

describe('afterMark', () => {
  /** Plays a machine that prints these pieces, then ends. */
  const machine =
    (...pieces: string[]) =>
    async (script: string, { onStdout }: ExecOptions) => {
      expect(script).toBe('echo =flotilla=\nid -u')
      for (const piece of pieces) await onStdout?.(Buffer.from(piece))
      return { code: 7, stdout: '', stderr: 'warning' }
    }

  it('leaves out what was printed before the script began, also in pieces', async () => {
    const run = machine('Welcome to moth!\n=flo', 'tilla', '=\n0\n=flotilla=\n', 'end')
    expect(await afterMark('id -u', {}, run)).toEqual({ code: 7, stdout: '0\n=flotilla=\nend', stderr: 'warning', began: true })
  })

  it('hands output on as it comes', async () => {
    const seen: string[] = []
    await afterMark('id -u', { onStdout: (chunk) => void seen.push(chunk.toString()) }, machine('noise=flotilla=\na', 'b'))
    expect(seen).toEqual(['a', 'b'])
  })

  it('gives what came instead of a script that never ran', async () => {
    const result = await afterMark('id -u', {}, machine('This account is currently not available.\n'))
    expect(result).toMatchObject({ began: false, stdout: 'This account is currently not available.\n' })
  })
})
