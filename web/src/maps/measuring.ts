// What a map says in regions, as rows: for the table, and as CSV with the columns of `mroptimum roi --csv`.
import { valuesIn, type Region } from './regions'
import { statistics, type Statistics } from './statistics'
import { voxelSize, voxelVolume, type Triple, type Volume } from './volume'

export interface Measurement {
  readonly region: Region
  readonly values: Float64Array
  /** null where the region holds no voxel with a value. */
  readonly statistics: Statistics | null
  /** Of a region on one slice; null for others, and where the size of voxels is not known. */
  readonly areaMm2: number | null
  readonly volumeMm3: number | null
}

export function measure(regions: readonly Region[], map: Volume): Measurement[] {
  const each = voxelVolume(map)
  return regions.map((region) => {
    const values = valuesIn(map.values, region.voxels)
    const found = statistics(values)
    const axis = singleSlice(region.voxels, map.shape)
    return {
      region,
      values,
      statistics: found,
      areaMm2: each === null || axis === null ? null : (values.length * each) / voxelSize(map, axis),
      volumeMm3: each === null || found === null ? null : found.n * each,
    }
  })
}

/** The axis across the one slice that holds all voxels, the last where there are several; null where there is none. */
function singleSlice(voxels: Uint8Array, [ni, nj]: Triple): number | null {
  const low = [Infinity, Infinity, Infinity]
  const high = [-1, -1, -1]
  for (let index = voxels.indexOf(1); index >= 0; index = voxels.indexOf(1, index + 1)) {
    const place = [index % ni, Math.floor(index / ni) % nj, Math.floor(index / (ni * nj))]
    place.forEach((at, axis) => {
      low[axis] = Math.min(low[axis] as number, at)
      high[axis] = Math.max(high[axis] as number, at)
    })
  }
  const single = [2, 1, 0].find((axis) => low[axis] === high[axis])
  return single ?? null
}

const COLUMNS =
  'region,map,map_id,unit,n_voxels,n_zero,n_without_value,volume_mm3,mean,sd,median,minimum,maximum,mean_95_low,mean_95_high'

export interface MeasuredMap {
  readonly name: string
  readonly id: number
  readonly unit: string
  readonly measurements: readonly Measurement[]
}

/** Returns one row for each region and map, numbers with all their digits, empty where there is none. */
export function csv(maps: readonly MeasuredMap[]): string {
  const rows = maps.flatMap(({ name, id, unit, measurements }) =>
    measurements.flatMap(({ region, statistics: found, volumeMm3 }) =>
      found === null
        ? []
        : [
            [
              ...[region.name, name, id, unit, found.n, found.nZero, found.nWithoutValue, volumeMm3],
              ...[found.mean, found.sd, found.median, found.min, found.max, found.interval?.[0], found.interval?.[1]],
            ],
          ],
    ),
  )
  return `${[COLUMNS, ...rows.map((row) => row.map(cell).join(','))].join('\n')}\n`
}

function cell(value: string | number | null | undefined): string {
  const text = String(value ?? '')
  // A name that a spreadsheet would take for a formula is kept a text.
  const safe = typeof value === 'string' && /^[=+\-@\t\r]/.test(text) ? `'${text}` : text
  return /[",\n]/.test(safe) ? `"${safe.replaceAll('"', '""')}"` : safe
}
