/** Root on a machine: the SSH user itself, or sudo with or without a password. Source: sudo(8). */
import { FlotillaError } from '../../base/errors.ts'
import type { SshConnection } from './connection.ts'
import { shellCommand, type ExecOptions, type ExecResult, type Shell } from './exec.ts'

export type RootMode = 'root' | 'sudo' | 'sudo with password'

export interface RootShell extends Shell {
  readonly mode: RootMode
}

/** The SSH user as a Shell. */
export function userShell(connection: SshConnection): Shell {
  return { exec: (script, options) => connection.exec(shellCommand(script), options) }
}

// `-k` with a command makes sudo ignore what it remembers of earlier sign-ins: the answer is then the same each time.
const WITHOUT_PASSWORD = 'LC_ALL=C exec sudo -k -n -- '
// The prompt is empty and the password is read from standard input, so that it stands in no argument list and no log.
const WITH_PASSWORD = "LC_ALL=C exec sudo -k -S -p '' -- "

/**
 * Finds the way to root. Throws NO_SUDO with the reason: no sudo, not allowed, or a password that is missing or wrong.
 * The password is kept in memory by the shell that is returned, and nowhere else.
 */
export async function rootShell(connection: SshConnection, password?: string, signal?: AbortSignal): Promise<RootShell> {
  const user = userShell(connection)
  const options = { signal, timeoutMs: 30_000 }
  const who = await user.exec('id -u', options)
  if (who.stdout.trim() === '0') return { mode: 'root', exec: (script, more) => user.exec(script, more) }
  const free = await connection.exec(WITHOUT_PASSWORD + shellCommand('id -u'), options)
  if (free.code === 0 && free.stdout.trim() === '0')
    return { mode: 'sudo', exec: (script, more) => connection.exec(WITHOUT_PASSWORD + shellCommand(script), more) }
  if (password === undefined || !/password/i.test(free.stderr)) throw noSudo(connection, free, password !== undefined)
  const exec = (script: string, more: ExecOptions = {}) =>
    connection.exec(WITH_PASSWORD + shellCommand(script), { ...more, stdin: withPassword(password, more.stdin) })
  const asked = await exec('id -u', options)
  if (asked.code === 0 && asked.stdout.trim() === '0') return { mode: 'sudo with password', exec }
  throw noSudo(connection, asked, true)
}

async function* withPassword(password: string, stdin: ExecOptions['stdin']): AsyncGenerator<Uint8Array> {
  yield Buffer.from(`${password}\n`)
  if (typeof stdin === 'string') yield Buffer.from(stdin)
  else if (stdin instanceof Uint8Array) yield stdin
  else if (stdin) yield* stdin
}

function noSudo(connection: SshConnection, result: ExecResult, given: boolean): FlotillaError {
  const said = result.stderr.trim()
  const [why, next] = explain(connection.user, said, given)
  return new FlotillaError('NO_SUDO', { what: `${connection.user} cannot act as root on ${connection.host}.`, why, next })
}

function explain(user: string, said: string, given: boolean): [why: string, next: string] {
  if (/not found|No such file/i.test(said))
    return ['The user is not root, and sudo is not installed there.', 'Sign in as root, or install sudo.']
  if (/not in the sudoers|may not run sudo|not allowed to/i.test(said))
    return [
      'sudo does not allow this user to run commands as root.',
      `Sign in as another user, or as root run: usermod -aG sudo ${user} (or wheel, where that is the group).`,
    ]
  if (/must have a tty/i.test(said)) return ['sudo there insists on a terminal (requiretty).', 'Remove requiretty from its sudoers file.']
  if (/no new privileges|effective uid is not 0/i.test(said))
    return [
      'sudo cannot work there: it runs without the right to become root.',
      'Sign in as root, or use a machine that is not a locked-down container.',
    ]
  if (given) return ['sudo refused the password.', 'Enter the sudo password again: it is the one of this user.']
  return ['sudo asks for a password, and none was given.', 'Enter the sudo password.']
}
