/** Folders on this node's disk that are persistent volumes. They outlive pods, and are made and removed by order of the control plane. */
import { chmod, mkdir, rm } from 'node:fs/promises'
import { join } from 'node:path'
import { localVolumePath, type LocalVolume } from '../../../api/infra/v1alpha1/local-volumes.ts'
import { HttpError } from '../../server/http-error.ts'
import type { Route } from '../../server/agent-server.ts'

/** A name that is a folder's, and no way to anywhere else. */
const NAME = /^[a-z0-9](?:[-a-z0-9]{0,251}[a-z0-9])?$/

export class LocalVolumes {
  readonly #root: string

  /** `stateDir` of the agent. */
  constructor(stateDir: string) {
    this.#root = join(stateDir, 'volumes')
  }

  /** One that is there keeps what is in it. Throws HttpError 400 for a name that cannot be. */
  async make(name: string): Promise<LocalVolume> {
    const path = this.#path(name)
    // Only root gets to the folders; whoever is given one may write into it, whatever this process's umask.
    await mkdir(this.#root, { recursive: true, mode: 0o711 })
    const made = await mkdir(path, { recursive: true })
    if (made !== undefined) await chmod(path, 0o777)
    return { path }
  }

  async remove(name: string): Promise<void> {
    await rm(this.#path(name), { recursive: true, force: true })
  }

  #path(name: string): string {
    if (!NAME.test(name)) throw new HttpError(400, `${JSON.stringify(name)} is not the name of a volume`)
    return join(this.#root, name)
  }
}

export function localVolumeRoutes(volumes: LocalVolumes): Route[] {
  const path = localVolumePath('*')
  return [
    {
      method: 'PUT',
      path,
      async handle({ parts: [name = ''] }, response) {
        const made = await volumes.make(name)
        response.writeHead(200, { 'content-type': 'application/json' }).end(JSON.stringify(made))
      },
    },
    {
      method: 'DELETE',
      path,
      async handle({ parts: [name = ''] }, response) {
        await volumes.remove(name)
        response.writeHead(204).end()
      },
    },
  ]
}
