import { protocol } from 'electron'
import { staticFile } from '../plane/face/static.ts'

export const APP_ORIGIN = 'app://flotilla'

/** Must run before the app is ready. */
export function declareAppScheme(): void {
  protocol.registerSchemesAsPrivileged([{ scheme: 'app', privileges: { standard: true, secure: true, supportFetchAPI: true } }])
}

/** Serves the built UI under `app://flotilla/`, with the policy that lets nothing else run. */
export function serveApp(rendererDir: string): void {
  protocol.handle('app', async (request) => {
    const url = new URL(request.url)
    if (url.host !== 'flotilla' || request.method !== 'GET') return new Response('not found', { status: 404 })
    const { status, headers, body } = await staticFile(rendererDir, url.pathname)
    return new Response(new Uint8Array(body), { status, headers })
  })
}
