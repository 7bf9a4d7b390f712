/** Some keys of the user's ssh-agent. */
import ssh2, { type BaseAgent, type ParsedKey } from 'ssh2'
import type { PublicKey } from './host-key.ts'

/**
 * The agent, showing only the keys of `only`, as `IdentitiesOnly yes` asks for: a host counts each key that is offered, and ends the
 * sign-in after a few.
 */
export function agentWith(socket: string, only: readonly PublicKey[]): BaseAgent {
  const agent = ssh2.createAgent(socket) as BaseAgent<ParsedKey>
  const all = agent.getIdentities.bind(agent)
  agent.getIdentities = (done) =>
    all((error, keys) => {
      const parsed = keys as readonly ParsedKey[] | undefined
      if (error || !parsed) done(error)
      else done(undefined, only.flatMap(({ blob }) => parsed.filter((key) => blob.equals(key.getPublicSSH()))) as never)
    })
  return agent
}
