/** Getting along with a firewall that this computer already has: Docker and ufw forward nothing unless told to. */
import { systemCode } from '../../base/errors.ts'
import { CommandError, run } from './run.ts'

/** The rules that let a bridge's traffic through: among its links, out, and answers back in. As arguments of iptables. */
export function forwardRules(bridge: string): string[][] {
  const comment = ['-m', 'comment', '--comment', bridge]
  return [
    ['-i', bridge, ...comment, '-j', 'ACCEPT'],
    ['-o', bridge, '-m', 'conntrack', '--ctstate', 'RELATED,ESTABLISHED', ...comment, '-j', 'ACCEPT'],
  ]
}

/** Whether the chain FORWARD, as `iptables -S FORWARD` prints it, may drop what no rule of it takes. */
export function dropsForwarded(rules: string): boolean {
  return /^-P FORWARD (DROP|REJECT)$/m.test(rules)
}

/** Puts the rules first in FORWARD where they are needed and not there yet. Without iptables there is nothing to do. */
export async function letThrough(bridge: string): Promise<void> {
  const rules = await iptables('-S', 'FORWARD')
  if (rules === null || !dropsForwarded(rules)) return
  for (const rule of forwardRules(bridge))
    if ((await iptables('-C', 'FORWARD', ...rule)) === null) await iptables('-I', 'FORWARD', '1', ...rule)
}

/** Takes the rules away again. */
export async function forgetRules(bridge: string): Promise<void> {
  const rules = await iptables('-S', 'FORWARD')
  if (!rules?.includes(bridge)) return
  for (const rule of forwardRules(bridge)) await iptables('-D', 'FORWARD', ...rule)
}

/** What it printed; null if it failed or is not installed. */
async function iptables(...args: string[]): Promise<string | null> {
  try {
    return await run('iptables', ['-w', '5', ...args])
  } catch (error) {
    if (error instanceof CommandError || systemCode(error) === 'ENOENT') return null
    throw error
  }
}
