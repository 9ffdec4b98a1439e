// Everything that a job left, to take away: straight from the storage of its unit.
import { element, sizeInWords } from '../elements'
import { titleOf, type ResultFile, type ResultPackage } from '../maps/package'

const WORDS: Readonly<Record<string, string>> = {
  'info.json': 'what was computed, how, and from what',
  'manifest.json': 'every file with its SHA-256, versions, seed',
  'task.json': 'the task, to run it again',
  'log.json': 'the log',
  'matlab.mat': 'all maps for MATLAB',
  'data/noise.npz': 'noise covariance and correlation, complex (NumPy)',
  'data/coil_sensitivities.npz': 'coil maps, complex (NumPy)',
  'report.html': 'the report, one file without scripts',
}

/** Lists all files of a package in a table, and the most wanted as buttons. */
export function showDownloads(place: HTMLElement, found: ResultPackage): void {
  const titles = new Map(found.info.data.map((entry) => [entry.filename, titleOf(entry)]))
  const row = (file: ResultFile): HTMLElement => {
    const link = element('a', {}, file.name)
    lead(link, file, found)
    const what = titles.get(file.name) ?? WORDS[file.name] ?? ''
    return element('tr', {}, element('td', {}, link), element('td', {}, what), element('td', { class: 'number' }, sizeInWords(file.sizeBytes)))
  }
  place.replaceChildren(...[...found.files].sort(byName).map(row))
  for (const [selector, file] of [
    ['#get-package', found.everything],
    ['#get-report', found.files.find(({ name }) => name === 'report.html')],
    ['#get-manifest', found.files.find(({ name }) => name === 'manifest.json')],
    ['#get-task', found.files.find(({ name }) => name === 'task.json')],
  ] as const) {
    const button = document.querySelector<HTMLAnchorElement>(selector)
    if (!button) continue
    if (file) lead(button, file, found)
    else button.hidden = true
  }
}

/** Leads a link to a file; a page may stand open for longer than the address is good for. */
function lead(link: HTMLAnchorElement, file: ResultFile, found: ResultPackage): void {
  link.href = file.url
  link.download = ''
  link.addEventListener('click', async (event) => {
    event.preventDefault()
    location.assign(await found.freshUrl(file))
  })
}

const byName = (a: ResultFile, b: ResultFile): number => a.name.localeCompare(b.name)
