import type { UserInfo } from '../types.ts'

const NODES = 'system:nodes'
const PREFIX = 'system:node:'

/** The node that a user is, or null. Source: kubernetes "Using Node Authorization". */
export function nodeOf(user: UserInfo): string | null {
  return user.name.startsWith(PREFIX) && user.groups.includes(NODES) ? user.name.slice(PREFIX.length) : null
}
