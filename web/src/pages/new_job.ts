// The job form: shows what the method needs, asks the Brain what would become of the job, and submits it.
import { call, Refusal } from '../api'
import { durationInWords, element, sizeInWords } from '../elements'
import { lackingIn, problemsOf, type Problem } from '../job_form/problems'
import { documentOf, valuesOf, type Files } from '../job_form/task'
import { INITIAL, isAsked, type Field, type FileRef, type Values } from '../job_form/values'

interface Plan {
  computingUnit: { alias: string; mode: string }
  reason: string
  platform: string
  platformReason: string
  forecast: { seconds: number; memoryBytes: number; outputBytes: number }
  price: { text: string; paidBy: string; leftOut: string[]; microdollars: number }
  queuePlace: { place: number; nWaiting: number; reason: string } | null
  isFromBytes: boolean
  accuracy: { nJobs: number; medianRatio: number; p90Ratio: number } | null
}

const PATIENCE_MS = 250
/** The queue moves while somebody thinks. */
const AGAIN_MS = 10_000
function readFiles(): Files {
  const known = JSON.parse(document.querySelector('#known')?.textContent ?? '[]') as (FileRef & { id: string })[]
  return new Map(known.map(({ id, ...file }) => [id, file]))
}

class JobForm {
  private readonly plan = find('#plan')
  private readonly button = find<HTMLButtonElement>('#submit')
  private readonly answered = find('#submitted')
  private asked = new AbortController()
  private timer: ReturnType<typeof setTimeout> | undefined

  constructor(
    private readonly form: HTMLFormElement,
    private readonly files: Files,
  ) {}

  start(): void {
    this.form.addEventListener('input', () => this.changed())
    this.form.addEventListener('submit', (event) => {
      event.preventDefault()
      void this.submit()
    })
    find('#save').addEventListener('click', () => this.save())
    find<HTMLInputElement>('#load').addEventListener('change', (event) => {
      const input = event.currentTarget as HTMLInputElement
      void this.load(input.files?.[0])
      input.value = ''
    })
    setInterval(() => void this.refresh(), AGAIN_MS)
    this.changed()
    this.form.dataset['ready'] = 'true'
  }

  private changed(): void {
    const values = this.read()
    for (const field of Object.keys(INITIAL) as Field[]) {
      const place = this.form.querySelector<HTMLElement>(`[data-field="${field}"]`)
      if (place) place.hidden = !isAsked(field, values)
    }
    // What was asked of the values before is not about these.
    this.asked.abort()
    this.button.disabled = true
    clearTimeout(this.timer)
    this.timer = setTimeout(() => void this.ask(), PATIENCE_MS)
  }

  private read(): Values {
    const data = new FormData(this.form)
    const said: Record<string, unknown> = {}
    for (const [field, initial] of Object.entries(INITIAL)) {
      said[field] = typeof initial === 'boolean' ? data.has(field) : (data.get(field)?.toString() ?? '')
    }
    return said as unknown as Values
  }

  private signals(): string[] {
    return new FormData(this.form).getAll('signal').map(String)
  }

  private async ask(): Promise<void> {
    this.asked.abort()
    this.asked = new AbortController()
    const { signal } = this.asked
    const [first] = this.signals()
    this.clear()
    if (first === undefined) {
      this.plan.replaceChildren(
        element('p', { class: 'dim' }, 'Choose a signal to see where it runs, how long it takes, and what it costs.'),
      )
      return
    }
    const values = this.read()
    const lacking = lackingIn(values)
    if (lacking.length) {
      this.tell(lacking)
      return
    }
    try {
      const body = documentOf(values, first, this.files)
      const plan = await call<Plan>('POST', '/api/job/estimate', body, signal)
      this.plan.replaceChildren(...planInWords(plan, this.signals().length))
      this.plan.dataset['state'] = 'possible'
      this.button.disabled = false
    } catch (error) {
      if (!signal.aborted) this.refuse(error)
    }
  }

  /** Asks again what was possible, as long as somebody looks and nothing else is under way; what fails is left as it was. */
  private async refresh(): Promise<void> {
    const [first] = this.signals()
    if (document.hidden || this.plan.dataset['state'] !== 'possible' || this.button.disabled || first === undefined) return
    const { signal } = this.asked
    try {
      const plan = await call<Plan>('POST', '/api/job/estimate', documentOf(this.read(), first, this.files), signal)
      const said = planInWords(plan, this.signals().length)
      // What has not changed is not read out again.
      if (!signal.aborted && said[0]?.textContent !== this.plan.textContent) this.plan.replaceChildren(...said)
    } catch {
      return
    }
  }

  private refuse(error: unknown): void {
    const message = error instanceof Error ? error.message : String(error)
    this.tell(problemsOf(message), error instanceof Refusal ? error.nextStep : null)
  }

  /** Says each problem beside its field, and what has none in the plan's place. */
  private tell(problems: readonly Problem[], nextStep: string | null = null): void {
    this.plan.dataset['state'] = 'refused'
    this.button.disabled = true
    const loose: string[] = []
    for (const { field, text } of problems) {
      if (field === null || !this.mark(field, text)) loose.push(text)
    }
    const step = nextStep && loose.length ? [element('p', {}, nextStep)] : []
    const said = loose.length ? loose : ['Something is missing; see beside the fields.']
    const notice = element('div', { class: 'notice bad', role: 'alert' })
    notice.append(...said.map((text) => element('p', {}, element('strong', {}, sentence(text)))), ...step)
    this.plan.replaceChildren(notice)
  }

  private mark(field: Field, text: string): boolean {
    const place = this.form.querySelector<HTMLElement>(`[data-field="${field}"]`)
    const input = this.form.querySelector<HTMLElement>(`[name="${field}"]`)
    if (!place || place.hidden || !input) return false
    const id = `problem-${field}`
    // The first says it; others are of forms of the value that nobody gave.
    if (place.querySelector(`#${id}`)) return true
    input.setAttribute('aria-invalid', 'true')
    input.setAttribute('aria-describedby', id)
    place.append(element('span', { class: 'field-error', id }, sentence(text)))
    return true
  }

  private clear(): void {
    for (const old of this.form.querySelectorAll('.field-error')) old.remove()
    for (const input of this.form.querySelectorAll('[aria-invalid]')) {
      input.removeAttribute('aria-invalid')
      input.removeAttribute('aria-describedby')
    }
  }

  private async submit(): Promise<void> {
    this.button.disabled = true
    this.answered.replaceChildren()
    const alias = new FormData(this.form).get('alias')?.toString().trim()
    const signals = this.signals()
    for (const [number, signal] of signals.entries()) {
      const name = alias && signals.length > 1 ? `${alias} ${number + 1}` : alias
      try {
        const body = { ...documentOf(this.read(), signal, this.files), ...(name ? { alias: name } : {}) }
        const job = await call<{ jobId: string; alias: string }>('POST', '/api/job', body)
        if (signals.length === 1) location.assign(`/jobs/${job.jobId}`)
        this.answered.append(element('p', { role: 'status' }, 'Submitted: ', element('a', { href: `/jobs/${job.jobId}` }, job.alias)))
      } catch (error) {
        this.refuse(error)
        return
      }
    }
  }

  private save(): void {
    const [signal] = this.signals()
    if (signal === undefined) return
    const text = JSON.stringify(documentOf(this.read(), signal, this.files), null, 2)
    const link = element('a', { href: URL.createObjectURL(new Blob([text], { type: 'application/json' })), download: 'task.json' })
    link.click()
    URL.revokeObjectURL(link.href)
  }

  private async load(file: File | undefined): Promise<void> {
    if (!file) return
    try {
      this.fill(JSON.parse(await file.text()))
    } catch {
      this.answered.replaceChildren(element('p', { class: 'notice bad', role: 'alert' }, 'This is no task file (JSON).'))
    }
  }

  /** Takes over a task, from a file or from a job. */
  fill(document: unknown): void {
    const { values, signal, missing } = valuesOf(document, this.files)
    this.show(values, signal)
    this.changed()
    if (missing.length) {
      this.answered.replaceChildren(
        element('p', { class: 'notice warn', role: 'alert' }, `Not among your data files, choose others: ${missing.join('; ')}.`),
      )
    }
  }

  private show(values: Values, signal: string): void {
    for (const [field, value] of Object.entries(values)) {
      const inputs = this.form.querySelectorAll<HTMLInputElement | HTMLSelectElement>(`[name="${field}"]`)
      for (const input of inputs) {
        if (typeof value === 'boolean') (input as HTMLInputElement).checked = value
        else if (input.type === 'radio') (input as HTMLInputElement).checked = input.value === value
        else input.value = value
      }
    }
    for (const option of this.form.querySelectorAll<HTMLOptionElement>('[name="signal"] option')) {
      option.selected = option.value === signal
    }
  }
}

function planInWords(plan: Plan, nJobs: number): HTMLElement[] {
  const facts = element('dl', { class: 'facts' })
  const add = (name: string, ...content: (Node | string)[]): void => {
    facts.append(element('dt', {}, name), element('dd', {}, ...content))
  }
  const small = (text: string): HTMLElement => element('small', {}, text)
  add('Runs on', `${plan.computingUnit.alias} (${plan.computingUnit.mode.replace('_', ' ')})`, element('br'), small(plan.reason))
  if (plan.queuePlace) add('Queue', queueInWords(plan.queuePlace), element('br'), small(plan.queuePlace.reason))
  add('Platform', plan.platform, element('br'), small(plan.platformReason))
  const basis = plan.isFromBytes ? 'from the size of the file alone' : 'from the size of the acquisition'
  const accuracy = plan.accuracy
    ? `; the last ${plan.accuracy.nJobs} like it took ${plan.accuracy.medianRatio.toFixed(1)} times as long, nine of ten at most ${plan.accuracy.p90Ratio.toFixed(1)} times`
    : ''
  add('Takes about', durationInWords(plan.forecast.seconds), element('br'), small(basis + accuracy))
  add('Memory', sizeInWords(plan.forecast.memoryBytes))
  const isFree = plan.price.paidBy !== 'you'
  add('Costs', isFree ? 'nothing for you' : plan.price.text, element('br'), small(isFree ? `${plan.price.text}, paid by ${plan.price.paidBy}` : `without ${plan.price.leftOut.join(', ')}`))
  if (nJobs > 1) add('Jobs', `${nJobs}, one for each signal`)
  return [facts]
}

const queueInWords = ({ place, nWaiting }: { place: number; nWaiting: number }): string => (nWaiting === 1 ? 'nobody waits' : `place ${place} of ${nWaiting} now`)

const sentence = (text: string): string => `${text.charAt(0).toUpperCase()}${text.slice(1)}${/[.!?]$/.test(text) ? '' : '.'}`

function find<E extends HTMLElement = HTMLElement>(selector: string): E {
  const found = document.querySelector<E>(selector)
  if (!found) throw new Error(`the page lacks ${selector}`)
  return found
}

const form = document.querySelector<HTMLFormElement>('#job')
if (form) {
  const page = new JobForm(form, readFiles())
  const like = document.querySelector('#like')?.textContent
  if (like) page.fill(JSON.parse(like))
  page.start()
}
