/** Scripts on a machine: as the SSH user, and as root by being it, by sudo or by doas. Source: sudo(8), sudoers(5), doas(1). */
import { FlotillaError } from '../../base/errors.ts'
import type { SshConnection } from './connection.ts'
import { afterMark, shellCommand, type ExecOptions, type ExecResult, type Shell } from './exec.ts'
import { withLine, withTerminal } from './terminal-root.ts'

export type RootMode = 'root' | 'sudo' | 'sudo with password' | 'doas' | 'doas with password'

export interface RootShell extends Shell {
  readonly mode: RootMode
}

/**
 * The SSH user as a Shell. What start-up files of the login shell print is left out. Throws REMOTE_COMMAND_FAILED if the login shell
 * does not run commands.
 */
export function userShell(connection: SshConnection): Shell {
  return {
    async exec(script, options = {}) {
      const result = await afterMark(script, options, (marked, more) => connection.exec(shellCommand(marked), more))
      if (!result.began) throw noShell(connection, result)
      return result
    },
  }
}

function noShell({ user, host }: SshConnection, { stdout, stderr, code }: ExecResult): FlotillaError {
  const said = (stdout.trim() || stderr.trim()).split('\n').slice(-3).join('\n')
  return new FlotillaError('REMOTE_COMMAND_FAILED', {
    what: `${user} can sign in to ${host} but not run commands there.`,
    why: said ? `Its login shell said: ${said}` : `Its login shell ended with code ${code}.`,
    next: `Give the user a login shell (chsh -s /bin/sh ${user}) and lift a ForceCommand, or sign in as another user.`,
  })
}

type Elevate = (script: string, options: ExecOptions) => Promise<ExecResult>

// `-k` with a command makes sudo ignore what it remembers of earlier sign-ins: the answer is then the same each time.
const SUDO = 'exec env LC_ALL=C sudo -k -n -- '
// The prompt is empty and the password is read from standard input, so that it stands in no argument list and no log.
const SUDO_WITH_PASSWORD = "exec env LC_ALL=C sudo -k -S -p '' -- "
const DOAS = 'exec env LC_ALL=C doas -n '

/**
 * Finds the way to root. Throws NO_SUDO with the reason: no sudo and no doas, not allowed, or a password that is missing or wrong.
 * The password is kept in memory by the shell that is returned, and nowhere else.
 */
export async function rootShell(connection: SshConnection, password?: string, signal?: AbortSignal): Promise<RootShell> {
  const options = { signal, timeoutMs: 30_000 }
  const user = userShell(connection)
  const who = await user.exec('id -u', options)
  if (who.stdout.trim() === '0') return { mode: 'root', exec: (script, more) => user.exec(script, more) }

  const found = (mode: RootMode, elevate: Elevate): RootShell => ({
    mode,
    exec: (script, more = {}) => afterMark(script, more, elevate),
  })
  const isRoot = async (elevate: Elevate): Promise<ExecResult | null> => {
    const result = await afterMark('id -u', options, elevate)
    return result.began && result.code === 0 && result.stdout.trim() === '0' ? null : result
  }

  const sudo: Elevate = (script, more) => connection.exec(SUDO + shellCommand(script), more)
  const refused = await isRoot(sudo)
  if (refused === null) return found('sudo', sudo)
  let said = refused.stderr
  let given = false
  if (WANTS_TERMINAL.test(said)) {
    // sudo insists on a terminal before it says whether it wants a password.
    const bySudo = withTerminal(connection, "sudo -k -p 'flotilla-password:' --", password)
    const result = await isRoot(bySudo)
    if (result === null) return found(password === undefined ? 'sudo' : 'sudo with password', bySudo)
    said = result.stderr
    given = password !== undefined
  } else if (password !== undefined && /password/i.test(said)) {
    const bySudo: Elevate = (script, more) =>
      connection.exec(SUDO_WITH_PASSWORD + shellCommand(script), { ...more, stdin: withLine(password, more.stdin) })
    const result = await isRoot(bySudo)
    if (result === null) return found('sudo with password', bySudo)
    said = result.stderr
    given = true
  }
  const byDoas = await doas(connection, password, isRoot)
  if (byDoas && 'elevate' in byDoas) return found(byDoas.mode, byDoas.elevate)
  throw byDoas && NOT_THERE.test(said) ? noDoas(connection, byDoas.said, password !== undefined) : noSudo(connection, said, given)
}

const WANTS_TERMINAL = /must have a tty|tty to run sudo|terminal is required/i
const NOT_THERE = /not found|No such file|unknown command/i

/** Null if there is no doas. */
async function doas(
  connection: SshConnection,
  password: string | undefined,
  isRoot: (elevate: Elevate) => Promise<ExecResult | null>,
): Promise<{ mode: RootMode; elevate: Elevate } | { said: string } | null> {
  const free: Elevate = (script, more) => connection.exec(DOAS + shellCommand(script), more)
  const refused = await isRoot(free)
  if (refused === null) return { mode: 'doas', elevate: free }
  if (NOT_THERE.test(refused.stderr)) return null
  if (password === undefined) return { said: refused.stderr }
  // doas takes a password from a terminal alone.
  const asked = withTerminal(connection, 'doas', password)
  const result = await isRoot(asked)
  return result === null ? { mode: 'doas with password', elevate: asked } : { said: result.stderr }
}

const what = ({ user, host }: SshConnection) => `${user} cannot act as root on ${host}.`

function noSudo(connection: SshConnection, said: string, given: boolean): FlotillaError {
  const [why, next] = explain(connection.user, said.trim(), given)
  return new FlotillaError('NO_SUDO', { what: what(connection), why, next })
}

function noDoas(connection: SshConnection, said: string, given: boolean): FlotillaError {
  const { user } = connection
  const [why, next] = /not permitted/i.test(said)
    ? ['doas does not allow this user to run commands as root.', `As root add to /etc/doas.conf: permit ${user}`]
    : /script: (command )?not found|flotilla: no script/i.test(said)
      ? [
          'doas asks for a password on a terminal, and "script" to make one is not installed there.',
          `Add "permit nopass ${user}" to /etc/doas.conf.`,
        ]
      : given
        ? ['doas refused the password.', 'Enter the password again: it is the one of this user.']
        : ['doas asks for a password, and none was given.', 'Enter the sudo password: doas takes the same.']
  return new FlotillaError('NO_SUDO', { what: what(connection), why, next })
}

function explain(user: string, said: string, given: boolean): [why: string, next: string] {
  if (/flotilla: no script/.test(said))
    return [
      'sudo there insists on a terminal (requiretty), and "script" to make one is not installed.',
      'Remove requiretty from its sudoers file.',
    ]
  if (NOT_THERE.test(said))
    return ['The user is not root, and neither sudo nor doas is installed there.', 'Sign in as root, or install sudo.']
  if (/not in the sudoers|may not run sudo|not allowed to/i.test(said))
    return [
      'sudo does not allow this user to run commands as root.',
      `Sign in as another user, or as root run: usermod -aG sudo ${user} (or wheel, where that is the group).`,
    ]
  if (/no new privileges|effective uid is not 0/i.test(said))
    return [
      'sudo cannot work there: it runs without the right to become root.',
      'Sign in as root, or use a machine that is not a locked-down container.',
    ]
  if (given) return ['sudo refused the password.', 'Enter the sudo password again: it is the one of this user.']
  return ['sudo asks for a password, and none was given.', 'Enter the sudo password.']
}
