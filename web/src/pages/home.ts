// The first page, as jobs go: their progress at once, the whole list whenever one of them began, ended or waits.
import { showLocalTimes } from '../times'

interface OpenJob {
  readonly jobId: string
  readonly version: number
  readonly waitingReason: string | null
  readonly progress: { readonly step: string; readonly done: number; readonly total: number; readonly message: string } | null
}

const list = document.querySelector<HTMLElement>('#home-jobs')
if (list) {
  follow(list)
  list.dataset['ready'] = 'true'
  // Jobs may have been submitted in another window meanwhile.
  document.addEventListener('visibilitychange', () => {
    if (document.visibilityState === 'visible' && list.dataset['open'] === 'false') void replace(list).then(() => follow(list))
  })
}

function follow(list: HTMLElement): void {
  list.dataset['open'] = String(rows(list).length > 0)
  if (list.dataset['open'] === 'false') return
  const source = new EventSource('/api/job/events')
  let shown: Promise<void> = Promise.resolve()
  source.addEventListener('jobs', (event) => {
    const { jobs } = JSON.parse((event as MessageEvent<string>).data) as { jobs: readonly OpenJob[] }
    shown = shown.then(async () => {
      if (!isShown(list, jobs)) await replace(list)
      for (const job of jobs) advance(list, job)
    })
  })
  source.addEventListener('end', () => {
    source.close()
    shown = shown.then(() => {
      list.dataset['open'] = 'false'
    })
  })
}

function rows(list: HTMLElement): HTMLElement[] {
  return [...list.querySelectorAll<HTMLElement>('[data-open-job]')]
}

function isShown(list: HTMLElement, jobs: readonly OpenJob[]): boolean {
  const now = rows(list).map(({ dataset }) => `${dataset['openJob']} ${dataset['version']}`)
  return now.join() === jobs.map(({ jobId, version }) => `${jobId} ${version}`).join()
}

async function replace(list: HTMLElement): Promise<void> {
  const focused = list.contains(document.activeElement) ? document.activeElement?.getAttribute('href') : null
  await Promise.all([put('/home/jobs', list), put('/home/use', document.querySelector('#home-use'))])
  if (focused) list.querySelector<HTMLElement>(`a[href="${CSS.escape(focused)}"]`)?.focus()
}

async function put(path: string, place: HTMLElement | null): Promise<void> {
  const response = await fetch(path, { headers: { Accept: 'text/html', 'HX-Request': 'true' } })
  if (!response.ok || !place) return
  place.innerHTML = await response.text()
  showLocalTimes(place)
}

function advance(list: HTMLElement, { jobId, progress, waitingReason }: OpenJob): void {
  const row = rows(list).find(({ dataset }) => dataset['openJob'] === jobId)
  const bar = row?.querySelector('progress')
  const step = row?.querySelector('[data-step]')
  if (step) step.textContent = progress ? `${progress.step}: ${progress.message}` : (waitingReason ?? '')
  if (!bar) return
  bar.hidden = progress === null
  bar.max = progress?.total || 1
  bar.value = progress?.total ? progress.done : 0
}
