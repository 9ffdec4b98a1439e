// The histogram of regions, drawn by uPlot in the regions' colours.
import uPlot from 'uplot'
import { histogram } from './histogram'
import type { Measurement } from './measuring'

const HEIGHT = 190
const WIDEST = 760
/** The padding of the card on both sides, in pixels. */
const MARGIN = 40

export function drawHistogram(place: HTMLElement, measurements: readonly Measurement[], label: string): void {
  place.replaceChildren()
  const { centres, counts } = histogram(measurements.map(({ values }) => values))
  if (centres.length === 0) return
  const [first, last] = [centres[0] as number, centres.at(-1) as number]
  const width = (last - first) / (centres.length - 1) || 1
  const ink = getComputedStyle(place).color
  const grid = { stroke: 'rgb(128 128 128 / 25%)', width: 1 }
  const bars = uPlot.paths.bars?.({ size: [1, Number.POSITIVE_INFINITY], gap: 0 })
  new uPlot(
    {
      width: Math.min(WIDEST, (place.parentElement?.clientWidth ?? WIDEST) - MARGIN),
      height: HEIGHT,
      scales: { x: { time: false, range: [first - width / 2, last + width / 2] } },
      cursor: { drag: { x: false, y: false } },
      legend: { show: false },
      axes: [
        { stroke: ink, grid, label, size: 34, labelSize: 18, font: '11px sans-serif', labelFont: '12px sans-serif' },
        { stroke: ink, grid, label: 'voxels', size: 44, labelSize: 18, font: '11px sans-serif', labelFont: '12px sans-serif' },
      ],
      series: [
        {},
        ...measurements.map(({ region }) => ({
          label: region.name,
          stroke: region.colour,
          fill: `${region.colour}66`,
          points: { show: false },
          ...(bars ? { paths: bars } : {}),
        })),
      ],
    },
    [centres, ...counts] as unknown as uPlot.AlignedData,
    place,
  )
}
