/** Which addresses are the app's own, and which may be opened outside; both by what a parser makes of them, never by how they begin. */

export const APP_SCHEME = 'app'
const APP_HOST = 'flotilla'
export const APP_ORIGIN = `${APP_SCHEME}://${APP_HOST}`

/** Whether a URL, or an origin, is the UI's own. */
export function isOurs(url: string): boolean {
  const parsed = URL.parse(url)
  return (
    parsed?.protocol === `${APP_SCHEME}:` &&
    parsed.host === APP_HOST &&
    parsed.username === '' &&
    parsed.password === '' &&
    // What a parser leaves of odd hosts.
    url.toLowerCase().startsWith(APP_ORIGIN)
  )
}

/** What a link may open outside: https, and http of this computer, where forwarded ports are. Never a file or another scheme. */
export function isWebAddress(url: string): boolean {
  const parsed = URL.parse(url)
  if (!parsed || parsed.username !== '' || parsed.password !== '') return false
  return parsed.protocol === 'https:' || (parsed.protocol === 'http:' && isLoopback(parsed.hostname))
}

function isLoopback(hostname: string): boolean {
  return hostname === 'localhost' || hostname === '[::1]' || /^127(?:\.\d{1,3}){3}$/.test(hostname)
}
