/**
 * Adding a machine over SSH, step by step: see which key the host shows, have it confirmed, look without changing anything, then
 * begin. Nothing goes on by itself past a key that was not known or has changed.
 */
import { computed, reactive, ref, shallowRef, type ComputedRef, type Ref, type ShallowRef } from 'vue'
import type { ResultOf } from '../../../../../electron/contracts/channel.ts'
import type { Channels } from '../../../../../electron/contracts/channels.ts'
import type { Face } from '../../../face/face.ts'
import { failureOf, type Failure } from '../../../face/failure.ts'
import { t } from '../../../i18n/index.ts'
import { addArg, credentialsOf, emptyForm, formErrors, hopOf, jumpOf, type FieldErrors, type MachineForm } from './form.ts'

export type HostKey = ResultOf<Channels['machines.scanHostKey']>
export type Check = ResultOf<Channels['machines.preflight']>[number]

export type Stage =
  /** The fields are being filled in. */
  | 'form'
  | 'scanning'
  /** A key waits to be confirmed. */
  | 'confirm'
  | 'checking'
  /** The report is there. */
  | 'checked'
  | 'adding'
  | 'added'

export interface AddFlow {
  readonly form: MachineForm
  readonly stage: Readonly<Ref<Stage>>
  readonly failure: Readonly<ShallowRef<Failure | null>>
  readonly errors: ComputedRef<FieldErrors>
  readonly hostKey: Readonly<ShallowRef<HostKey | null>>
  readonly jumpKey: Readonly<ShallowRef<HostKey | null>>
  /** The key that the question is about. */
  readonly asking: ComputedRef<{ readonly of: 'host' | 'jump'; readonly host: string; readonly key: HostKey } | null>
  readonly checks: Readonly<ShallowRef<readonly Check[]>>
  readonly blocked: ComputedRef<boolean>
  readonly busy: ComputedRef<boolean>
  /** From the form to the next question or the report. */
  connect(): Promise<void>
  /** Accepts the key in question, and goes on. */
  trust(): Promise<void>
  check(): Promise<void>
  /** The machine's name when its set-up has begun, null if it did not. */
  add(): Promise<string | null>
  /** Back to the fields; what was confirmed is asked again if the address changed. */
  edit(): void
  reset(): void
}

export function useAddFlow(face: Face, taken: () => readonly string[]): AddFlow {
  const form = reactive(emptyForm())
  const stage = ref<Stage>('form')
  const failure = shallowRef<Failure | null>(null)
  const hostKey = shallowRef<HostKey | null>(null)
  const jumpKey = shallowRef<HostKey | null>(null)
  const trusted = shallowRef<{ host: boolean; jump: boolean }>({ host: false, jump: false })
  const checks = shallowRef<readonly Check[]>([])
  const tried = ref(false)
  let abort = new AbortController()

  const errors = computed(() => (tried.value && stage.value === 'form' ? formErrors(form, taken()) : {}))
  const asking = computed(() => {
    if (stage.value !== 'confirm') return null
    if (form.useJump && jumpKey.value && !trusted.value.jump) return { of: 'jump' as const, host: form.jumpHost, key: jumpKey.value }
    return hostKey.value && { of: 'host' as const, host: form.host, key: hostKey.value }
  })

  async function step<T>(to: Stage, what: string, back: Stage, run: (signal: AbortSignal) => Promise<T>): Promise<T | null> {
    abort.abort()
    abort = new AbortController()
    const own = abort.signal
    stage.value = to
    failure.value = null
    try {
      return await run(own)
    } catch (error) {
      if (!own.aborted) {
        failure.value = failureOf(error, what)
        stage.value = back
      }
      return null
    }
  }

  async function scan(): Promise<void> {
    const jump = jumpOf(form)
    if (jump && !trusted.value.jump) {
      const key = await step('scanning', t('add.failed.scan', { host: jump.host }), 'form', (signal) =>
        face.call('machines.scanHostKey', jump, { signal }),
      )
      if (!key) return
      jumpKey.value = key
      if (key.state !== 'known') return void (stage.value = 'confirm')
      trusted.value = { ...trusted.value, jump: true }
    }
    const key = await step('scanning', t('add.failed.scan', { host: form.host }), 'form', (signal) =>
      face.call('machines.scanHostKey', { ...hopOf(form), ...(jump ? { jump } : {}) }, { signal }),
    )
    if (!key) return
    hostKey.value = key
    if (key.state !== 'known') return void (stage.value = 'confirm')
    trusted.value = { ...trusted.value, host: true }
    await check()
  }

  async function check(): Promise<void> {
    const jump = jumpOf(form)
    const found = await step('checking', t('add.failed.preflight', { host: form.host }), 'form', (signal) =>
      face.call(
        'machines.preflight',
        {
          ...hopOf(form),
          hostKey: hostKey.value?.key ?? '',
          ...(jump ? { jump: { ...jump, hostKey: jumpKey.value?.key ?? '' } } : {}),
          ...(form.nodeIP ? { nodeIP: form.nodeIP.trim() } : {}),
          installRuntime: form.installRuntime,
          credentials: credentialsOf(form),
        },
        { signal },
      ),
    )
    if (!found) return
    checks.value = found
    stage.value = 'checked'
  }

  return {
    form,
    stage,
    failure,
    errors,
    hostKey,
    jumpKey,
    asking,
    checks,
    blocked: computed(() => checks.value.some((each) => each.state === 'fail')),
    busy: computed(() => ['scanning', 'checking', 'adding'].includes(stage.value)),
    async connect() {
      tried.value = true
      if (Object.keys(formErrors(form, taken())).length) return
      trusted.value = { host: false, jump: false }
      checks.value = []
      await scan()
    },
    async trust() {
      const now = asking.value
      if (!now) return
      trusted.value = { ...trusted.value, [now.of]: true }
      await (now.of === 'jump' ? scan() : check())
    },
    check,
    async add() {
      const arg = addArg(form, hostKey.value?.key ?? '', jumpKey.value?.key)
      const added = await step('adding', t('add.failed.add', { name: arg.name }), 'checked', (signal) =>
        face.call('machines.add', arg, { signal }),
      )
      if (!added) return null
      stage.value = 'added'
      form.password = form.passphrase = form.sudoPassword = ''
      return added.name
    },
    edit() {
      abort.abort(new DOMException('back to the form', 'AbortError'))
      stage.value = 'form'
      failure.value = null
    },
    reset() {
      abort.abort(new DOMException('the dialog was closed', 'AbortError'))
      Object.assign(form, emptyForm())
      stage.value = 'form'
      failure.value = null
      hostKey.value = jumpKey.value = null
      trusted.value = { host: false, jump: false }
      checks.value = []
      tried.value = false
    },
  }
}
