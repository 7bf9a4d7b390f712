/** Root where it is given on a terminal only: sudo with requiretty, doas with a password. */
import type { SshConnection } from './connection.ts'
import { shellCommand, type ExecOptions, type ExecResult } from './exec.ts'
import { quote } from '../quote.ts'

/**
 * Runs scripts by `command` in a terminal that script(1) makes on the machine. Through a terminal input has no end and outputs are
 * mixed, so those of the script go through FIFOs in a folder that only the user can enter; the terminal carries the password alone,
 * which the machine's shell reads from its input and gives away when it is asked for. Where there is no script(1), it says
 * "flotilla: no script".
 */
export function withTerminal(
  connection: SshConnection,
  command: string,
  password: string | undefined,
): (script: string, options: ExecOptions) => Promise<ExecResult> {
  return (script, options) => {
    const inner = `exec < "$0/in" > "$0/out" 2> "$0/err"\n: > "$0/begun"\n${script}`
    const outer = `
IFS= read -r password
command -v script >/dev/null 2>&1 || { echo 'flotilla: no script' >&2; exit 127; }
umask 077
dir=$(mktemp -d) || exit 1
trap 'kill $in $out $err 2>/dev/null; rm -rf "$dir"' EXIT
trap 'exit 130' HUP INT TERM
mkfifo "$dir/in" "$dir/out" "$dir/err" || exit 1
: > "$dir/screen"
exec 3<&0
cat <&3 > "$dir/in" & in=$!
cat "$dir/out" & out=$!
cat "$dir/err" >&2 & err=$!
export LC_ALL=C SHELL=/bin/sh
ask() {
  turns=0
  until grep -qi 'password' "$dir/screen" || [ -e "$dir/begun" ] || [ $turns -ge 100 ]; do sleep 0.05; turns=$((turns + 1)); done
  [ -e "$dir/begun" ] || printf '%s\\n' "$password"
}
ask | script -qefc ${quote(`${command} ${shellCommand(inner)} `)}"$dir" "$dir/screen" > /dev/null 2>&1
code=$?
if [ -e "$dir/begun" ]; then wait $out $err; else cat "$dir/screen" >&2; [ $code -ne 0 ] || code=1; fi
exit $code`
    return connection.exec(shellCommand(outer), { ...options, stdin: withLine(password ?? '', options.stdin) })
  }
}

/** Input that begins with a line for whoever asks before the command runs. */
export async function* withLine(line: string, stdin: ExecOptions['stdin']): AsyncGenerator<Uint8Array> {
  yield Buffer.from(`${line}\n`)
  if (typeof stdin === 'string') yield Buffer.from(stdin)
  else if (stdin instanceof Uint8Array) yield stdin
  else if (stdin) yield* stdin
}
