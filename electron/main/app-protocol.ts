import { protocol } from 'electron'
import { staticFile } from '../plane/face/static.ts'
import { APP_SCHEME, isOurs } from './addresses.ts'

/** Must run before the app is ready. */
export function declareAppScheme(): void {
  protocol.registerSchemesAsPrivileged([{ scheme: APP_SCHEME, privileges: { standard: true, secure: true, supportFetchAPI: true } }])
}

/** Serves the built UI under `app://flotilla/`, with the policy that lets nothing else run. */
export function serveApp(rendererDir: string): void {
  protocol.handle(APP_SCHEME, async (request) => {
    if (!isOurs(request.url) || request.method !== 'GET') return new Response('not found', { status: 404 })
    const { status, headers, body } = await staticFile(rendererDir, new URL(request.url).pathname)
    return new Response(new Uint8Array(body), { status, headers })
  })
}
