/** The API server's address in the cluster, on this node. */
import { messageOf } from '../../base/errors.ts'
import { component, startIn } from '../../base/lifecycle.ts'
import type { AgentPart } from '../agent.ts'
import { createApiRelay } from './api-relay.ts'
import { systemCommands } from './commands.ts'
import { addServiceAddresses } from './service-addresses.ts'

const HTTPS = 443

/** Puts the addresses that this node's agent serves itself on `lo`, DNS's as well, and relays that of the API server. First of all parts. */
export const apiRelayPart: AgentPart = ({ config, reconnected, clock, logger: all }) =>
  component(async (stack, signal) => {
    const logger = all.child({ part: 'api-relay' })
    try {
      await addServiceAddresses(systemCommands, config)
    } catch (error) {
      // The pod network tries again, and says so on the Node.
      logger.warn('the addresses of the API server and DNS could not be set', { error: messageOf(error) })
    }
    const { apiVip: address, apiPortFile: portFile } = config
    const relay = await startIn(stack, createApiRelay({ address, port: HTTPS, portFile, clock, logger }), signal)
    stack.use(relay.reconnected.on(() => reconnected.emit()))
  })
