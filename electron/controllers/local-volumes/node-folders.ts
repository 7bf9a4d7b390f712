/** Asks nodes' agents for folders, by way of the API server. */
import { LOCAL_PROVISIONER, localVolumePath, type LocalVolume } from '../../api/infra/v1alpha1/local-volumes.ts'
import type { Client } from '../../client/client.ts'

export interface NodeFolders {
  /** Resolves to the folder's path on the node. Throws Error with the agent's or the API server's words. */
  make(node: string, name: string): Promise<string>
  remove(node: string, name: string): Promise<void>
}

export function createNodeFolders(client: Pick<Client, 'request'>): NodeFolders {
  const ask = async (method: 'PUT' | 'DELETE', node: string, name: string): Promise<string> => {
    const path = `/api/v1/nodes/${encodeURIComponent(node)}/proxy${localVolumePath(encodeURIComponent(name))}`
    const { status, body } = await client.request({ method, path })
    const parts: Uint8Array[] = []
    for await (const part of body) parts.push(part)
    const text = Buffer.concat(parts).toString('utf8')
    if (status < 300) return text
    throw new Error(`${LOCAL_PROVISIONER} on node ${node}: ${wordsOf(text) || `status ${status}`}`)
  }
  return {
    async make(node, name) {
      const { path } = JSON.parse(await ask('PUT', node, name)) as LocalVolume
      return path
    },
    async remove(node, name) {
      await ask('DELETE', node, name)
    },
  }
}

/** Of a Status, or of a line of text. */
function wordsOf(text: string): string {
  try {
    return (JSON.parse(text) as { message?: string }).message ?? ''
  } catch {
    return text.trim()
  }
}
