/** Ways to sign in, tried in order, and what is said when none is taken. Source: RFC 4252, RFC 4256. */
import type { AnyAuthMethod, BaseAgent, Prompt } from 'ssh2'
import { FlotillaError } from '../../base/errors.ts'
import type { PrivateKey } from './keys.ts'

/** Secrets for one sign-in; held in memory only. */
export interface SignIn {
  readonly keys?: readonly PrivateKey[]
  /** The socket of an ssh-agent, or an agent. */
  readonly agent?: string | BaseAgent
  readonly password?: string
  /** The answer where the host asks for a one-time code. */
  readonly code?: string
}

type Method = 'publickey' | 'password' | 'keyboard-interactive'

interface Attempt {
  readonly method: Method
  /** For people: "the key /home/ana/.ssh/id_ed25519", "the password". */
  readonly name: string
  make(): AnyAuthMethod
}

const ASKS_FOR_CODE = /code|otp|token|factor|passcode|pin\b/i
const ASKS_FOR_PASSWORD = /pass(word|phrase)|secret/i

/** One sign-in as it goes on: hands ssh2 one attempt after the other and remembers how it went. */
export class Authentication {
  readonly #user: string
  readonly #given: { readonly password: boolean }
  readonly #attempts: Attempt[]
  readonly #tried: string[] = []
  #accepted: readonly string[] = []
  #began = false
  /** The methods that a host took and that were not enough for it. */
  readonly #taken: string[] = []
  #last: Attempt | null = null
  /** What was asked and not answered: "Verification code". */
  readonly #unanswered: string[] = []
  #expired = false

  constructor(user: string, signIn: SignIn) {
    this.#user = user
    this.#given = { password: signIn.password !== undefined }
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
    if (partial && this.#last) this.#taken.push(this.#last.name)
    for (;;) {
      const attempt = this.#attempts.shift()
      if (!attempt) return next(false)
      if (left && !left.includes(attempt.method)) continue
      // Asking the same password in another way would only count as one more failure.
      if (attempt.method === 'keyboard-interactive' && !partial && this.#tried.includes(attempt.name)) continue
      if (!this.#tried.includes(attempt.name)) this.#tried.push(attempt.name)
      this.#last = attempt
      return next(attempt.make())
    }
  }

  /** The host wants a new password before it lets anyone in. */
  passwordExpired(): void {
    this.#expired = true
  }

  failure(where: string, cause?: unknown): FlotillaError {
    const tooMany = /too many authentication failures/i.test(cause instanceof Error ? cause.message : '')
    return new FlotillaError('SSH_AUTH_FAILED', {
      what: `Could not sign in to ${where} as ${this.#user}.`,
      why: this.#why(tooMany),
      next: this.#advice(tooMany),
      cause,
    })
  }

  #why(tooMany: boolean): string {
    if (this.#expired) return 'The password has expired, and the host wants a new one.'
    const refused = this.#tried.filter((name) => !this.#taken.includes(name))
    const accepted = this.#accepted.length ? this.#accepted.join(', ') : 'no method at all'
    const parts = [
      this.#taken.length ? `It took ${listed([...new Set(this.#taken)])} and wants more.` : '',
      refused.length ? `It refused ${listed(refused)}.` : this.#taken.length ? '' : 'Nothing that was given could be tried.',
      tooMany ? 'Then it ended the sign-in: too many keys were offered.' : `It accepts ${accepted}.`,
      this.#unanswered.length ? `It also asks: ${this.#unanswered.map((text) => `"${text}"`).join(', ')}.` : '',
    ]
    return parts.filter(Boolean).join(' ')
  }

  #advice(tooMany: boolean): string {
    if (this.#expired) return 'Sign in there once with ssh and set a new password.'
    if (this.#unanswered.some((text) => ASKS_FOR_CODE.test(text)))
      return 'Use a key or an ssh-agent that needs no second factor, or give a code with: flotilla node add --code'
    const takesPassword = this.#accepted.some((method) => method !== 'publickey')
    const triedPassword = this.#tried.some((name) => name.startsWith('the password'))
    if (tooMany) return 'Set IdentitiesOnly yes and the right IdentityFile for this host in ~/.ssh/config, or choose a key file.'
    if (this.#taken.length && takesPassword && !triedPassword) return 'Enter the password too.'
    if (!takesPassword && this.#given.password && !this.#tried.length)
      return 'Use a key file or your ssh-agent: this host takes no passwords.'
    if (!takesPassword && triedPassword) return 'Use a key file or your ssh-agent.'
    if (!takesPassword) return 'Check the user name, and that the public key is in its authorized_keys.'
    if (triedPassword) return 'Check the user name and the password.'
    return 'Check the user name and the key, or enter a password.'
  }

  *#plan({ keys = [], agent, password, code }: SignIn): Iterable<Attempt> {
    const username = this.#user
    for (const key of keys)
      yield {
        method: 'publickey',
        name: key.source.startsWith('/') ? `the key ${key.source}` : key.source,
        make: () => ({ type: 'publickey', username, key: key.parsed }),
      }
    if (agent !== undefined)
      yield { method: 'publickey', name: 'the keys of the ssh-agent', make: () => ({ type: 'agent', username, agent }) }
    const byPassword: Attempt[] =
      password === undefined ? [] : [{ method: 'password', name: 'the password', make: () => ({ type: 'password', username, password }) }]
    // With a code the questions come first: a password alone would only count as a failure.
    if (code === undefined) yield* byPassword
    if (password !== undefined || code !== undefined)
      yield {
        method: 'keyboard-interactive',
        name: code === undefined ? 'the password' : password === undefined ? 'the one-time code' : 'the password with the one-time code',
        make: () => ({
          type: 'keyboard-interactive',
          username,
          prompt: (_name, _instructions, _language, prompts, finish) =>
            finish(prompts.map((prompt) => this.#answer(prompt, password, code))),
        }),
      }
    if (code !== undefined) yield* byPassword
  }

  /** A question that is neither for the password nor for a code is answered with the password if nothing that is typed is shown. */
  #answer({ prompt, echo }: Prompt, password: string | undefined, code: string | undefined): string {
    if (/new password|retype/i.test(prompt)) {
      this.#expired = true
      return ''
    }
    const asksForCode = ASKS_FOR_CODE.test(prompt) && !ASKS_FOR_PASSWORD.test(prompt.replace(ASKS_FOR_CODE, ''))
    const answer = asksForCode ? code : ASKS_FOR_PASSWORD.test(prompt) || !echo ? password : undefined
    const question = prompt.trim().replace(/[:?]$/, '')
    if (answer === undefined && !this.#unanswered.includes(question)) this.#unanswered.push(question)
    return answer ?? ''
  }
}

function listed(names: readonly string[]): string {
  return names.length < 2 ? (names[0] ?? '') : `${names.slice(0, -1).join(', ')} and ${names.at(-1)}`
}
