/** A registry's sign-in as a Secret of the type kubernetes.io/dockerconfigjson keeps it. */

export interface RegistrySignIn {
  readonly server: string
  readonly user: string
  readonly password: string
}

interface DockerConfig {
  readonly auths?: Readonly<Record<string, { readonly username?: string; readonly password?: string }>>
}

/** Of the first registry; empty for what is no such text. */
export function readSignIn(text: string): RegistrySignIn {
  try {
    const [entry] = Object.entries((JSON.parse(text) as DockerConfig).auths ?? {})
    if (entry) return { server: entry[0], user: entry[1].username ?? '', password: entry[1].password ?? '' }
  } catch {
    // Not yet filled in.
  }
  return { server: '', user: '', password: '' }
}

const base64 = (text: string) => btoa(String.fromCodePoint(...new TextEncoder().encode(text)))

/** '' while nothing is filled in. */
export function writeSignIn({ server, user, password }: RegistrySignIn): string {
  if (!server && !user && !password) return ''
  return JSON.stringify({ auths: { [server]: { username: user, password, auth: base64(`${user}:${password}`) } } })
}
