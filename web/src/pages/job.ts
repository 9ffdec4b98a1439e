// A job's page, as the job goes: its progress at once, everything else whenever something of it changed.
import { showLocalTimes } from '../times'

interface Progress {
  step: string
  done: number
  total: number
  message: string
}

const body = document.querySelector<HTMLElement>('#job-body')
if (body && body.dataset['ended'] === 'false') follow(body, body.dataset['job'] ?? '')

function follow(body: HTMLElement, jobId: string): void {
  const source = new EventSource(`/api/job/${jobId}/events`)
  let shown: Promise<void> = Promise.resolve()
  const show = (): void => {
    shown = shown.then(() => replace(body, jobId))
  }
  source.addEventListener('state', show)
  source.addEventListener('progress', (event) => {
    const progress = JSON.parse((event as MessageEvent<string>).data) as Progress
    shown = shown.then(() => advance(body, progress))
  })
  source.addEventListener('end', () => {
    source.close()
    shown = shown.then(() => {
      body.dataset['ended'] = 'true'
    })
  })
}

async function replace(body: HTMLElement, jobId: string): Promise<void> {
  const response = await fetch(`/jobs/${jobId}/body`, { headers: { Accept: 'text/html', 'HX-Request': 'true' } })
  if (!response.ok) return
  body.innerHTML = await response.text()
  showLocalTimes(body)
}

function advance(body: HTMLElement, progress: Progress): void {
  const bar = body.querySelector<HTMLProgressElement>('#bar')
  const step = body.querySelector('#step')
  if (step) step.textContent = `${progress.step}: ${progress.message}`
  if (!bar) return
  bar.max = progress.total || 1
  bar.value = progress.total ? progress.done : 0
}
