/** What is said on each new connection to a machine that is a node: where it was reached, and whether its agent needs a new token. */
import { isIPv4 } from 'node:net'
import { LAYOUT } from '../layout.ts'
import { quote } from '../quote.ts'
import { requireSuccess } from '../ssh/exec.ts'
import type { SshConnection } from '../ssh/connection.ts'
import { userShell } from '../ssh/sudo.ts'

export interface Greeting {
  /** The machine's address that the connection reached, if other nodes can use it. */
  readonly address: string | null
  readonly wantsToken: boolean
}

const TIMEOUT_MS = 20_000

/** `follow`: whether the agent may take the address for its own; not where a person has set one. */
export async function greet(connection: SshConnection, follow: boolean, signal: AbortSignal): Promise<Greeting> {
  const script = `
set -- \${SSH_CONNECTION:-}
[ ! -d ${LAYOUT.link} ] || cd ${LAYOUT.link} || exit 1
case "\${3:-}" in
127.*|*:*|'') rm -f ${LAYOUT.linkAddress} ;;
*) echo "address $3"
  if ${follow ? 'true' : 'false'} && [ -d ${LAYOUT.link} ]; then
    printf %s "$3" > ${LAYOUT.linkAddress}.new && mv -f ${LAYOUT.linkAddress}.new ${LAYOUT.linkAddress}
  else rm -f ${LAYOUT.linkAddress}; fi ;;
esac
[ ! -e ${LAYOUT.wantsToken} ] || echo wants-token`
  const { stdout } = requireSuccess(
    await userShell(connection).exec(script, { signal, timeoutMs: TIMEOUT_MS }),
    'The machine did not take the address at which it was reached.',
  )
  const lines = stdout.split('\n')
  const address = lines.find((line) => line.startsWith('address '))?.slice('address '.length) ?? ''
  return { address: isIPv4(address) ? address : null, wantsToken: lines.includes('wants-token') }
}

export async function wantsToken(connection: SshConnection, signal: AbortSignal): Promise<boolean> {
  const { code } = await userShell(connection).exec(`[ -e ${LAYOUT.wantsToken} ]`, { signal, timeoutMs: TIMEOUT_MS })
  return code === 0
}

/** Gives the agent a token, which waits for one, and has it try at once: a port that is written down anew is what it watches. */
export async function handToken(connection: SshConnection, token: string, signal: AbortSignal): Promise<void> {
  const script = `
umask 077
printf %s ${quote(token)} > ${LAYOUT.linkToken}.new && mv -f ${LAYOUT.linkToken}.new ${LAYOUT.linkToken} || exit 1
umask 022
cp ${LAYOUT.apiPort} ${LAYOUT.apiPort}.new && mv -f ${LAYOUT.apiPort}.new ${LAYOUT.apiPort}`
  requireSuccess(
    await userShell(connection).exec(script, { signal, timeoutMs: TIMEOUT_MS }),
    'The machine did not take a token with which to join anew.',
  )
}
