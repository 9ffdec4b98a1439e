// The noise that a job's numbers rest on: between coils, of each coil, and how it was scaled into the image.
import { element } from '../elements'
import { ResultPackage, type Noise } from '../maps/package'
import { digits } from '../maps/window'
import { eigenvalues } from '../noise/eigenvalues'
import { barFigure, magnitudes, matrixFigure, oddness, scaleFigure } from '../noise/figures'
import { readMatrix, type Matrix } from '../noise/npz'
import { complain, part } from '../page_parts'

const MOST_EIGENVALUES = 96

function coilNames(found: ResultPackage, n: number): string[] {
  const given = found.info.info.protocol.coil_names
  return Array.from({ length: n }, (_, index) => given[index] ?? `coil ${index + 1}`)
}

function showCoils(noise: Noise, names: readonly string[]): void {
  part('#sigma').replaceChildren(barFigure(noise.sigma, names, 'Standard deviation of the noise of each coil', true))
  const odd = noise.sigma.flatMap((sigma, index) => {
    const what = oddness(sigma, noise.sigma)
    return what ? [element('li', {}, element('strong', {}, names[index] as string), ` looks ${what}: ${digits(sigma)}`)] : []
  })
  part('#odd-coils').replaceChildren(
    odd.length ? element('ul', { class: 'notice warn' }, ...odd) : element('p', { class: 'dim' }, 'No coil is unlike the others: all lie within a factor of three of the median.'),
  )
  part('#coil-rows').replaceChildren(
    ...noise.sigma.map((sigma, index) =>
      element(
        'tr',
        {},
        element('td', {}, String(index + 1)),
        element('td', {}, names[index] as string),
        element('td', { class: 'number' }, digits(sigma, 6)),
        element('td', {}, oddness(sigma, noise.sigma) ?? ''),
      ),
    ),
  )
}

function showChain(noise: Noise): void {
  const rows = noise.scale_factors.map(({ name, value, source }) =>
    element('tr', {}, element('td', {}, name), element('td', { class: 'number' }, digits(value, 6)), element('td', {}, source)),
  )
  const product = element('tr', {}, element('th', { scope: 'row' }, 'product'), element('td', { class: 'number' }, digits(noise.scale_power, 6)), element('td', {}, 'on the noise power'))
  part('#chain').replaceChildren(...rows, product)
  part('#origin').textContent = noise.origin
  part('#n-samples').textContent = `${noise.n_samples.toLocaleString('en')} complex samples a coil`
  part('#dc').textContent = digits(noise.dc_fraction)
}

/** The two coils whose noise goes along the most. */
function strongest(correlation: Matrix, names: readonly string[]): string {
  const { n } = correlation
  const apart = magnitudes(correlation).map((value, index) => (index % n > Math.floor(index / n) ? value : -1))
  const at = apart.indexOf(Math.max(...apart))
  return n < 2 ? '' : `The most between two coils: ${digits(apart[at])}, ${names[Math.floor(at / n)]} and ${names[at % n]}.`
}

async function start(root: HTMLElement): Promise<void> {
  const found = await ResultPackage.open(root.dataset['job'] ?? '')
  const { noise } = found.info.info
  part('#methods').replaceChildren(...found.info.info.methods.map((text) => element('li', {}, text)))
  part('#warnings').replaceChildren(...found.info.info.warnings.map((text) => element('p', { class: 'notice warn' }, text)))
  if (!noise) {
    part('#noise-message').replaceChildren(element('p', { class: 'notice' }, 'No noise was measured for this job: its SNR comes from repetitions, or there is only an image.'))
    part('#noise-figures').hidden = true
    return
  }
  const names = coilNames(found, noise.sigma.length)
  showCoils(noise, names)
  showChain(noise)
  const archive = await found.bytes('data/noise.npz')
  const [covariance, correlation] = await Promise.all([readMatrix(archive, 'covariance'), readMatrix(archive, 'correlation')])
  const most = digits(Math.max(...magnitudes(covariance)))
  part('#covariance').replaceChildren(matrixFigure(covariance, names, `Magnitude of the noise covariance of ${names.length} coils`), scaleFigure('0', most))
  part('#correlation').replaceChildren(matrixFigure(correlation, names, `Magnitude of the noise correlation of ${names.length} coils`, 1), scaleFigure('0', '1'))
  part('#strongest').textContent = strongest(correlation, names)
  const values = names.length <= MOST_EIGENVALUES ? eigenvalues(covariance) : []
  if (values.length) {
    const numbers = values.map((_, index) => String(index + 1))
    part('#eigenvalues').replaceChildren(barFigure(values, numbers, 'Eigenvalues of the noise covariance', false))
    const [largest, smallest] = [values[0] as number, values.at(-1) as number]
    part('#condition').textContent = `${digits(largest)} / ${digits(smallest)} = ${digits(largest / smallest)}`
  }
}

const root = document.querySelector<HTMLElement>('#noise')
if (root) {
  try {
    await start(root)
  } catch (error) {
    complain(part('#noise-message'), error)
  }
  root.dataset['ready'] = 'true'
}
