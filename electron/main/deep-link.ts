/**
 * `flotilla://` links: `flotilla://pods`, `flotilla://pods/NAMESPACE/NAME`, `flotilla://machines/NAME`, `flotilla://list/RESOURCE`,
 * `flotilla://object/GROUP/VERSION/RESOURCE/NAMESPACE/NAME` ("-" for none). They come from anywhere: a link shows a page and does nothing.
 */

const SCHEME = 'flotilla:'
/** Names as Kubernetes has them: nothing that a path or a query could be made of. */
const NAME = /^[a-z0-9](?:[-a-z0-9.]{0,251}[a-z0-9])?$/
const NONE = '-'

/** By their first word: how many names may follow. */
const PAGES: Readonly<Record<string, readonly number[]>> = {
  overview: [0],
  deploy: [0],
  settings: [0],
  kinds: [0],
  pods: [0, 2],
  machines: [0, 1],
  list: [1],
  object: [5],
}

/** The page that a link is of, as the UI's routes name it; null for everything that is not exactly such a link. */
export function routeOf(link: string): string | null {
  if (!link.startsWith(`${SCHEME}//`) || link.length > 2048) return null
  const [page = '', ...names] = link
    .slice(SCHEME.length + 2)
    .replace(/\/$/, '')
    .split('/')
  if (!Object.hasOwn(PAGES, page) || !PAGES[page]?.includes(names.length)) return null
  if (!names.every((name) => NAME.test(name) || (page === 'object' && name === NONE))) return null
  return page === 'overview' ? '/' : `/${[page, ...names].join('/')}`
}

/** What a start, or a second start, asks to be shown: links and manifests among its arguments. */
export function requestsIn(argv: readonly string[]): { readonly routes: string[]; readonly files: string[] } {
  const given = argv.slice(1).filter((arg) => !arg.startsWith('-'))
  return {
    routes: given.flatMap((arg) => routeOf(arg) ?? []),
    files: given.filter((arg) => isManifest(arg) && !arg.includes('://')),
  }
}

export function isManifest(path: string): boolean {
  return /\.ya?ml$/i.test(path)
}
