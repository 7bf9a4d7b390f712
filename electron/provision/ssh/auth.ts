/** Ways to sign in, tried in order, and what is said when none is taken. Source: RFC 4252, RFC 4256. */
import type { AnyAuthMethod } from 'ssh2'
import { FlotillaError } from '../../base/errors.ts'
import type { PrivateKey } from './keys.ts'

/** Secrets for one sign-in; held in memory only. */
export interface SignIn {
  readonly keys?: readonly PrivateKey[]
  /** Socket of an ssh-agent. */
  readonly agentSocket?: string
  readonly password?: string
}

type Method = 'publickey' | 'password' | 'keyboard-interactive'

interface Attempt {
  readonly method: Method
  /** For people: "the key /home/ana/.ssh/id_ed25519", "the password". */
  readonly name: string
  make(): AnyAuthMethod
}

/** One sign-in as it goes on: hands ssh2 one attempt after the other and remembers how it went. */
export class Authentication {
  readonly #user: string
  readonly #attempts: Attempt[]
  readonly #tried: string[] = []
  #accepted: readonly string[] = []
  #began = false
  #asksForCode = false

  constructor(user: string, signIn: SignIn) {
    this.#user = user
    this.#attempts = [...this.#plan(signIn)]
  }

  /** ssh2 calls this for the first attempt and after each that was refused. */
  readonly handler = (left: readonly string[] | null, partial: boolean | null, next: (method: AnyAuthMethod | false) => void): void => {
    if (!this.#began) {
      this.#began = true
      // Asks which methods there are. Some hosts let "none" in, which is then their policy.
      return next({ type: 'none', username: this.#user })
    }
    if (left) this.#accepted = left
    for (;;) {
      const attempt = this.#attempts.shift()
      if (!attempt) return next(false)
      if (left && !left.includes(attempt.method)) continue
      // Asking the same password in another way would only count as one more failure.
      if (attempt.method === 'keyboard-interactive' && !partial && this.#tried.includes(attempt.name)) continue
      if (!this.#tried.includes(attempt.name)) this.#tried.push(attempt.name)
      return next(attempt.make())
    }
  }

  failure(where: string, cause?: unknown): FlotillaError {
    const accepted = this.#accepted.length ? this.#accepted.join(', ') : 'no method at all'
    const tried = this.#tried.length ? `It refused ${listed(this.#tried)}.` : 'Nothing that was given could be tried.'
    return new FlotillaError('SSH_AUTH_FAILED', {
      what: `Could not sign in to ${where} as ${this.#user}.`,
      why: `${tried} It accepts ${accepted}.${this.#asksForCode ? ' It also asks for a code.' : ''}`,
      next: this.#advice(),
      cause,
    })
  }

  #advice(): string {
    if (this.#asksForCode) return 'Use a key or an ssh-agent that needs no second factor.'
    const takesPassword = this.#accepted.some((method) => method !== 'publickey')
    if (!takesPassword && this.#tried.includes('the password')) return 'Use a key file or your ssh-agent.'
    if (!takesPassword) return 'Check the user name, and that the public key is in its authorized_keys.'
    if (this.#tried.includes('the password')) return 'Check the user name and the password.'
    return 'Check the user name and the key, or enter a password.'
  }

  *#plan(signIn: SignIn): Iterable<Attempt> {
    const username = this.#user
    for (const key of signIn.keys ?? [])
      yield {
        method: 'publickey',
        name: key.source.startsWith('/') ? `the key ${key.source}` : key.source,
        make: () => ({ type: 'publickey', username, key: key.parsed }),
      }
    const { agentSocket, password } = signIn
    if (agentSocket !== undefined)
      yield { method: 'publickey', name: 'the keys of the ssh-agent', make: () => ({ type: 'agent', username, agent: agentSocket }) }
    if (password === undefined) return
    yield { method: 'password', name: 'the password', make: () => ({ type: 'password', username, password }) }
    yield {
      method: 'keyboard-interactive',
      name: 'the password',
      make: () => ({
        type: 'keyboard-interactive',
        username,
        prompt: (_name, _instructions, _language, prompts, finish) => {
          if (prompts.some(({ prompt }) => /code|otp|token|factor/i.test(prompt))) this.#asksForCode = true
          finish(prompts.map(({ echo }) => (echo ? '' : password)))
        },
      }),
    }
  }
}

function listed(names: readonly string[]): string {
  return names.length < 2 ? (names[0] ?? '') : `${names.slice(0, -1).join(', ')} and ${names.at(-1)}`
}
