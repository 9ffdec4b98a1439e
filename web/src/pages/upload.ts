// The upload page: files are cleaned here, then sent part by part to the storage of the chosen unit.
import { call, Refusal } from '../api'
import { clean, MustNotLeave } from '../cleaning/clean'
import { element, sizeInWords } from '../elements'
import { send, type Link, type Part } from '../upload/send'
import { browser } from '../upload/transfer'

interface Begun {
  readonly id: string
  readonly name: string
  readonly size: number
  readonly unit: string
}

const form = document.querySelector<HTMLFormElement>('#upload')
if (form) start(form)

function start(form: HTMLFormElement): void {
  const input = form.querySelector<HTMLInputElement>('#files')
  const drop = form.querySelector<HTMLElement>('#drop')
  const list = form.querySelector<HTMLElement>('#uploads')
  if (!input || !drop || !list) return
  const begun = [...document.querySelectorAll<HTMLElement>('[data-begun]')].map(readBegun)
  const take = (files: Iterable<File>): void => {
    for (const file of files) list.append(new Upload(file, chosenUnit(form), begun).row)
  }
  input.addEventListener('change', () => {
    take(input.files ?? [])
    input.value = ''
  })
  drop.addEventListener('dragover', (event) => {
    event.preventDefault()
    drop.classList.add('over')
  })
  drop.addEventListener('dragleave', () => drop.classList.remove('over'))
  drop.addEventListener('drop', (event) => {
    event.preventDefault()
    drop.classList.remove('over')
    take(event.dataTransfer?.files ?? [])
  })
  for (const button of document.querySelectorAll<HTMLButtonElement>('[data-give-up]')) {
    button.addEventListener('click', async () => {
      await call('POST', `/api/data/${button.dataset['giveUp']}/abort`)
      button.closest('tr')?.remove()
    })
  }
  form.dataset['ready'] = 'true'
}

function readBegun(row: HTMLElement): Begun {
  const { begun = '', name = '', size = '', unit = '' } = row.dataset
  return { id: begun, name, size: Number(size), unit }
}

function chosenUnit(form: HTMLFormElement): string {
  return new FormData(form).get('unit')?.toString() ?? ''
}

class Upload {
  readonly row = element('li', { class: 'upload' })
  private readonly state = element('span', { class: 'dim', role: 'status' })
  private readonly bar = element('progress', { max: '1', value: '0' })
  private readonly pauseButton = element('button', { type: 'button', class: 'quiet' }, 'Pause')
  private readonly facts = element('div')
  private stop = new AbortController()
  private dataId: string | null = null

  constructor(
    private readonly file: File,
    private readonly unit: string,
    private readonly begun: readonly Begun[],
  ) {
    this.bar.setAttribute('aria-label', `Upload of ${file.name}`)
    const head = element('div', { class: 'row' })
    head.append(
      element('strong', {}, file.name),
      element('span', { class: 'dim number' }, sizeInWords(file.size)),
      element('span', { class: 'space' }),
      this.state,
      this.pauseButton,
    )
    this.row.append(head, this.bar, this.facts)
    this.pauseButton.addEventListener('click', () => this.toggle())
    void this.run()
  }

  private toggle(): void {
    if (this.stop.signal.aborted) {
      this.stop = new AbortController()
      this.pauseButton.textContent = 'Pause'
      void this.run()
    } else {
      this.stop.abort(new DOMException('paused', 'AbortError'))
    }
  }

  private async run(): Promise<void> {
    const { signal } = this.stop
    try {
      this.say('looking into the header')
      const cleaned = await clean(this.file, this.file.name)
      this.tellOfFields(cleaned.fields)
      this.dataId ??= await this.begin(cleaned.content.size)
      this.say('sending')
      await this.sendContent(cleaned.content, this.dataId, signal)
      this.say('arrived')
      this.row.dataset['state'] = 'arrived'
      this.bar.value = 1
      this.pauseButton.remove()
      this.facts.append(element('p', {}, element('a', { href: `/new-job?signal=${this.dataId}` }, 'Compute an SNR map of it')))
    } catch (error) {
      if (signal.aborted) {
        this.say('paused')
        this.pauseButton.textContent = 'Go on'
        return
      }
      this.refuse(error)
    }
  }

  /** Finds the upload of this file that was begun earlier, else begins one. */
  private async begin(size: number): Promise<string> {
    const earlier = this.begun.find(
      (each) => each.name === this.file.name && each.size === size && each.unit === this.unit,
    )
    if (earlier) {
      document.querySelector(`[data-begun="${earlier.id}"]`)?.remove()
      return earlier.id
    }
    const answer = await call<{ data: { id: string } }>('POST', '/api/data/upload', {
      filename: this.file.name,
      size,
      computing_unit_id: this.unit || null,
    })
    return answer.data.id
  }

  private sendContent(content: Blob, id: string, signal: AbortSignal): Promise<void> {
    return send({
      content,
      signal,
      surroundings: browser,
      nAtOnce: 3,
      desk: {
        arrived: () => call<{ part_size_bytes: number; parts: Part[] }>('GET', `/api/data/${id}/parts`),
        sign: async (number, sha256) => {
          const body = { parts: [{ number, sha256 }] }
          const { links } = await call<{ links: [Link] }>('POST', `/api/data/${id}/parts`, body)
          return links[0]
        },
        complete: () => call('POST', `/api/data/${id}/complete`),
      },
      tell: (sent, total) => {
        this.bar.value = total ? sent / total : 0
        this.say(`${sizeInWords(sent)} of ${sizeInWords(total)}`)
      },
    })
  }

  private say(text: string): void {
    this.state.textContent = text
  }

  private tellOfFields(fields: readonly string[]): void {
    this.facts.replaceChildren(
      fields.length
        ? element('details', {}, element('summary', {}, `${fields.length} header fields blanked before sending`), fields.join(', '))
        : element('p', { class: 'dim' }, 'Nothing in the header names a person.'),
    )
  }

  private refuse(error: unknown): void {
    this.say('not sent')
    this.row.dataset['state'] = 'refused'
    this.pauseButton.remove()
    const notice = element('div', { class: 'notice bad', role: 'alert' })
    const isKnown = error instanceof MustNotLeave || error instanceof Refusal
    notice.append(element('p', {}, element('strong', {}, error instanceof Error ? error.message : String(error))))
    if (error instanceof MustNotLeave && error.fields.length) notice.append(element('p', {}, `Fields: ${error.fields.join(', ')}`))
    notice.append(element('p', {}, isKnown ? error.nextStep : 'Try again.'))
    this.facts.replaceChildren(notice)
  }
}
