/** What the control plane asks of the agent about its own program. */
import { messageOf } from '../../base/errors.ts'
import type { Route } from '../server/agent-server.ts'
import { HttpError } from '../server/http-error.ts'
import type { Programs } from './programs.ts'

const PATH = '/flotilla/v1/agent'

/**
 * `GET /flotilla/v1/agent`: AgentPrograms as JSON. `PUT …?sha256=`: the program in the body takes this one's place, on trial.
 * `POST …/commit` ends the trial; `POST …/rollback` takes the program before. What cannot be done is 409 with the reason.
 */
export function upgradeRoutes(programs: Programs): Route[] {
  const done = async (work: Promise<void>) => {
    await work.catch((error: unknown) => {
      throw new HttpError(409, messageOf(error))
    })
  }
  const post = (path: string, run: () => Promise<void>): Route => ({
    method: 'POST',
    path,
    async handle(_request, response) {
      await done(run())
      response.writeHead(204).end()
    },
  })
  return [
    {
      method: 'GET',
      path: PATH,
      async handle(_request, response) {
        response.writeHead(200, { 'content-type': 'application/json' }).end(JSON.stringify(await programs.state()))
      },
    },
    {
      method: 'PUT',
      path: PATH,
      async handle({ query, body }, response) {
        const sha256 = query.get('sha256') ?? ''
        if (!/^[0-9a-f]{64}$/.test(sha256)) throw new HttpError(400, 'sha256 is missing')
        await done(programs.replace(body, sha256))
        response.writeHead(204).end()
      },
    },
    post(`${PATH}/commit`, () => programs.commit()),
    post(`${PATH}/rollback`, () => programs.rollBack()),
  ]
}
